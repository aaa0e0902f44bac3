import type { Feed } from "../../relay/feeds.ts";
import type { StreamEnd } from "../../relay/nodes/grpc-call.ts";
import type { StreamEvents } from "../../relay/nodes/link.ts";
import { FrameCutter, FramingError } from "../../relay/wire/frame-cutter.ts";
import type { SentEvent } from "./event-book.ts";

export interface SimStreamOptions {
  readonly maxMessageBytes: number;
  /** Where everything is read into, and so what a run of frames lies in: other bytes by the next read. */
  readonly readBuffer: Buffer;
}

export interface SimStreamDeps {
  /** The last byte of an event is about to be handed to the relay. */
  readonly onArrival: (event: SentEvent) => void;
  readonly onHeard: () => void;
  readonly onOpen: (stream: SimStream) => void;
  readonly onOver: (stream: SimStream, end: StreamEnd) => void;
}

/** One feed's stream on a link, as both sides have it: the agent writes, the network reads some of it at a time. */
export class SimStream {
  readonly feed: Feed;
  readonly ended: Promise<StreamEnd>;
  isOver = false;
  /** The relay has a reason to take it for one that is served. */
  isOpen = false;
  /** The agent has got the request, and serves it. */
  isServed = false;
  readonly #options: SimStreamOptions;
  readonly #deps: SimStreamDeps;
  readonly #events: StreamEvents;
  readonly #cutter: FrameCutter;
  readonly #resolve: (end: StreamEnd) => void;
  #unread = Buffer.alloc(0);
  /** Events whose bytes are in `#unread`, with where they end in the stream. */
  readonly #inFlight: { readonly event: SentEvent; readonly end: number }[] = [];
  #isAnswered = false;
  #written = 0;
  #read = 0;

  constructor(feed: Feed, events: StreamEvents, options: SimStreamOptions, deps: SimStreamDeps) {
    const { promise, resolve } = Promise.withResolvers<StreamEnd>();
    this.feed = feed;
    this.ended = promise;
    this.#resolve = resolve;
    this.#events = events;
    this.#options = options;
    this.#deps = deps;
    this.#cutter = new FrameCutter({ maxMessageBytes: options.maxMessageBytes }, events.onRun);
  }

  get unreadBytes(): number {
    return this.#unread.length;
  }

  /** The agent sends an event. */
  write(event: SentEvent): void {
    this.writeBytes(event.frame);
    this.#inFlight.push({ event, end: this.#written });
  }

  /** The agent sends what is no event. */
  writeBytes(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    this.#written += bytes.length;
  }

  /** The relay reads a chunk of up to `maxBytes`. */
  read(maxBytes: number): void {
    if (this.isOver || this.#unread.length === 0) return;
    const bytes = Math.min(maxBytes, this.#unread.length, this.#options.readBuffer.length);
    const chunk = this.#options.readBuffer.subarray(0, bytes);
    chunk.set(this.#unread.subarray(0, bytes));
    this.#unread = this.#unread.subarray(bytes);
    this.#read += bytes;
    this.#deps.onHeard();
    this.#answer();
    for (let first = this.#inFlight[0]; first !== undefined && first.end <= this.#read; first = this.#inFlight[0]) {
      this.#deps.onArrival(first.event);
      this.#inFlight.shift();
    }
    try {
      this.#cutter.push(chunk);
    } catch (error) {
      this.#failFraming(error);
    }
    chunk.fill(0xee);
  }

  /** The relay reads all that is left, and then the end. */
  endWith(end: StreamEnd): void {
    while (!this.isOver && this.#unread.length > 0) this.read(this.#unread.length);
    if (this.isOver) return;
    try {
      this.#cutter.end();
      this.finish(end);
    } catch (error) {
      this.#failFraming(error);
    }
  }

  /** It has been answered, or the HealthCheck behind it has. */
  open(): void {
    if (this.isOpen || this.isOver) return;
    this.isOpen = true;
    this.#deps.onOpen(this);
  }

  finish(end: StreamEnd): void {
    if (this.isOver) return;
    this.isOver = true;
    // As the link has it: what was answered was served, whatever the agent says on its way out.
    const told: StreamEnd = this.#isAnswered && end.kind === "refused" ? { kind: "broken", message: end.message } : end;
    this.#deps.onOver(this, told);
    this.#resolve(told);
  }

  #answer(): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.open();
    this.#events.onAnswer();
  }

  #failFraming(error: unknown): void {
    if (!(error instanceof FramingError)) throw error;
    this.finish({ kind: "framing", fault: error.fault, message: error.message });
  }
}
