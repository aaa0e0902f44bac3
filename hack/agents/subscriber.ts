/** What a subscriber needs of a gRPC call: grpc-js' writable stream. */
export interface EventWriter {
  /** False: take no more before `drain`. */
  write(event: Buffer): boolean;
}

export interface SubscriberCounts {
  readonly id: number;
  /** Events produced while it was subscribed = sent + dropped + queued + abandoned. */
  readonly offered: number;
  /** Handed to the connection. */
  readonly sent: number;
  /** Lost at the full queue. */
  readonly dropped: number;
  readonly queued: number;
  /** Were in the queue when the stream ended. */
  readonly abandoned: number;
  readonly open: boolean;
}

/** As long as the Go channel of an agent. Source: KubeArmor feeder.go, QueueSize. */
export const queueSlots = 1000;

/**
 * The agent's end of one stream: a queue that never blocks and, when full, drops the newest event. What empties it is
 * the connection alone: grpc-js holds 16 messages of its own, then says no until they are written.
 */
export class Subscriber {
  readonly id: number;
  readonly #writer: EventWriter;
  // A ring: shift() of a long array would cost more than the rest of the event's path.
  readonly #slots = Array.from<Buffer | undefined>({ length: queueSlots });
  #first = 0;
  #queued = 0;
  #blocked = false;
  #open = true;
  #offered = 0;
  #sent = 0;
  #dropped = 0;
  #abandoned = 0;

  constructor(id: number, writer: EventWriter) {
    this.id = id;
    this.#writer = writer;
  }

  offer(event: Buffer): void {
    if (!this.#open) return;
    this.#offered += 1;
    if (!this.#blocked && this.#queued === 0) {
      this.#send(event);
      return;
    }
    if (this.#queued === queueSlots) {
      this.#dropped += 1;
      return;
    }
    this.#slots[(this.#first + this.#queued) % queueSlots] = event;
    this.#queued += 1;
  }

  /** Sends bytes past the queue and the counts. */
  interject(bytes: Buffer): void {
    if (this.#open) this.#blocked = !this.#writer.write(bytes);
  }

  /** To be called at the writer's `drain`. */
  drained(): void {
    this.#blocked = false;
    while (this.#open && !this.#blocked) {
      const event = this.#slots[this.#first];
      if (event === undefined) return;
      this.#slots[this.#first] = undefined;
      this.#first = (this.#first + 1) % queueSlots;
      this.#queued -= 1;
      this.#send(event);
    }
  }

  /** The stream is over. What it still held is lost with it, as in the agent, and `unwritten` events of the writer. */
  close(unwritten: number): void {
    if (!this.#open) return;
    this.#open = false;
    this.#sent -= unwritten;
    this.#abandoned = this.#queued + unwritten;
    this.#queued = 0;
    this.#slots.fill(undefined);
  }

  counts(): SubscriberCounts {
    return {
      id: this.id,
      offered: this.#offered,
      sent: this.#sent,
      dropped: this.#dropped,
      queued: this.#queued,
      abandoned: this.#abandoned,
      open: this.#open,
    };
  }

  #send(event: Buffer): void {
    this.#blocked = !this.#writer.write(event);
    this.#sent += 1;
  }
}
