import type { Batch, Consumer } from "../hub/batch.ts";
import { Mailbox } from "../hub/mailbox.ts";

/** The part of a response stream that a subscriber writes to. */
export interface EventStream {
  cork(): void;
  uncork(): void;
  write(bytes: Buffer, callback: (error?: Error | null) => void): boolean;
}

export interface SubscriberOptions {
  /** What may wait for a slow client before its oldest events go. */
  readonly mailboxBytes: number;
  /** How much one write may carry: enough to fill the socket, not so much that it hides a slow client. */
  readonly maxWriteBytes: number;
}

/** In events. `offered = delivered + overflowed + disconnected + queued` at any time. */
export interface SubscriberCounts {
  readonly offered: number;
  /** Handed to the operating system for this client. */
  readonly delivered: number;
  /** Dropped because the mailbox was full. */
  readonly overflowed: number;
  /** Not sent when the client went away. */
  readonly disconnected: number;
  /** In the mailbox or being written. */
  readonly queued: number;
}

/**
 * One client of one feed. A single write is under way at a time; what arrives meanwhile waits in the mailbox and shares
 * the next one, so a client that is slow costs its mailbox and nothing else.
 */
export class Subscriber implements Consumer {
  readonly #stream: EventStream;
  readonly #maxWriteBytes: number;
  readonly #mailbox: Mailbox;
  #writing = 0;
  #offered = 0;
  #delivered = 0;
  #overflowed = 0;
  #disconnected = 0;
  #isClosed = false;
  /** Whoever waits for `idle`. */
  #waiting: (() => void)[] = [];

  constructor(options: SubscriberOptions, stream: EventStream) {
    this.#stream = stream;
    this.#maxWriteBytes = options.maxWriteBytes;
    this.#mailbox = new Mailbox({ maxBytes: options.mailboxBytes });
  }

  offer(batch: Batch): void {
    this.#offered += batch.events;
    if (this.#isClosed) {
      this.#disconnected += batch.events;
      return;
    }
    this.#overflowed += this.#mailbox.push(batch);
    if (this.#writing === 0) this.#write();
  }

  counts(): SubscriberCounts {
    return {
      offered: this.#offered,
      delivered: this.#delivered,
      overflowed: this.#overflowed,
      disconnected: this.#disconnected,
      queued: this.#mailbox.queuedEvents + this.#writing,
    };
  }

  get queuedBytes(): number {
    return this.#mailbox.queuedBytes;
  }

  /** Resolves when nothing is queued any more, be it sent or lost. */
  idle(): Promise<void> {
    if (this.#mailbox.queuedEvents === 0 && this.#writing === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** The client is gone: what is queued is lost and counted. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#disconnected += this.#mailbox.clear();
    this.#reportIdle();
  }

  #write(): void {
    const first = this.#mailbox.shift();
    if (first === undefined) {
      this.#reportIdle();
      return;
    }
    let events = first.events;
    let bytes = first.bytes.length;
    const more: Batch[] = [];
    while (bytes < this.#maxWriteBytes) {
      const next = this.#mailbox.shift();
      if (next === undefined) break;
      events += next.events;
      bytes += next.bytes.length;
      more.push(next);
    }
    this.#writing = events;
    const last = more.pop();
    if (last === undefined) {
      this.#stream.write(first.bytes, this.#onWritten);
      return;
    }
    // Corked, they reach the connection as one gathered write.
    this.#stream.cork();
    this.#stream.write(first.bytes, ignoreResult);
    for (const batch of more) this.#stream.write(batch.bytes, ignoreResult);
    this.#stream.write(last.bytes, this.#onWritten);
    this.#stream.uncork();
  }

  readonly #onWritten = (error?: Error | null): void => {
    if (error === undefined || error === null) this.#delivered += this.#writing;
    else this.#disconnected += this.#writing;
    this.#writing = 0;
    if (this.#isClosed) this.#reportIdle();
    else this.#write();
  };

  #reportIdle(): void {
    if (this.#writing > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** The last write of a group speaks for all of it: they succeed or fail together. */
function ignoreResult(): void {}
