import type { Batch } from "./batch.ts";

export interface MailboxOptions {
  /** What may wait here. At least one batch always fits, whatever its size. */
  readonly maxBytes: number;
}

/**
 * The queue of one consumer: bounded in bytes, drop-oldest, because the newest evidence is worth more to whoever has
 * fallen behind. Invariant: every event pushed is shifted, dropped (and counted by the caller from `push`'s result) or
 * still queued.
 */
export class Mailbox {
  readonly #maxBytes: number;
  // A ring would save the shift of indices; a head index that is compacted now and then costs less code.
  #batches: (Batch | undefined)[] = [];
  #head = 0;
  #queuedBytes = 0;
  #queuedEvents = 0;

  constructor(options: MailboxOptions) {
    this.#maxBytes = options.maxBytes;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get queuedEvents(): number {
    return this.#queuedEvents;
  }

  /** Adds the newest batch and returns how many events of the oldest ones had to go for it. */
  push(batch: Batch): number {
    let dropped = 0;
    while (this.#queuedEvents > 0 && this.#queuedBytes + batch.bytes.length > this.#maxBytes) {
      dropped += this.shift()?.events ?? 0;
    }
    this.#batches.push(batch);
    this.#queuedBytes += batch.bytes.length;
    this.#queuedEvents += batch.events;
    return dropped;
  }

  /** Takes the oldest batch. */
  shift(): Batch | undefined {
    const batch = this.#batches[this.#head];
    if (batch === undefined) return undefined;
    this.#batches[this.#head++] = undefined;
    if (this.#head === this.#batches.length) {
      this.#batches.length = 0;
      this.#head = 0;
    } else if (this.#head >= 1024) {
      this.#batches = this.#batches.slice(this.#head);
      this.#head = 0;
    }
    this.#queuedBytes -= batch.bytes.length;
    this.#queuedEvents -= batch.events;
    return batch;
  }

  /** Empties the queue and returns how many events were in it. */
  clear(): number {
    const events = this.#queuedEvents;
    this.#batches = [];
    this.#head = 0;
    this.#queuedBytes = 0;
    this.#queuedEvents = 0;
    return events;
  }
}
