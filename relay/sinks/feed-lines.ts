import type { Batch } from "../hub/batch.ts";
import { Mailbox } from "../hub/mailbox.ts";
import { framePrefixBytes } from "../wire/frame-cutter.ts";
import { JsonLine, unreadable } from "./json-line.ts";
import type { MessageTable } from "./json-line-table.ts";
import { type ByteView, viewOf } from "./json-line-text.ts";

/** `full`: the queue was; `closed`: nobody reads stdout any more; `shutdown`: the time to drain was over. */
export type DropReason = "full" | "closed" | "shutdown";

/** In events. At any time `received = printed + unreadable + dropped + queued`. */
export interface StdoutCounts {
  readonly received: number;
  readonly printed: number;
  readonly unreadable: number;
  readonly dropped: number;
  readonly droppedBy: Readonly<Record<DropReason, number>>;
  /** Waiting, or in the chunk that is being written. */
  readonly queued: number;
}

export interface FeedLinesOptions {
  readonly table: MessageTable;
  /** What may wait, as it came from the wire. */
  readonly maxQueueBytes: number;
}

const newline = 0x0a;
const noBatch = viewOf(Buffer.alloc(0));
/** Wire bytes that one call of `render` takes at most beyond its first event: well under a millisecond's work. */
const maxBytesPerRender = 64 * 1024;

/** The events of one feed on their way to lines: waiting as they came, rendered when they can be written, accounted for. */
export class FeedLines {
  readonly #mailbox: Mailbox;
  readonly #printer: JsonLine;
  /** The batch being rendered: its next frame is at `#at`, `#left` events of it are to come. */
  #batch = noBatch;
  #at = 0;
  #left = 0;
  /** Lines in the chunk being written. */
  #rendered = 0;
  #received = 0;
  #printed = 0;
  #unreadable = 0;
  readonly #dropped: Record<DropReason, number> = { full: 0, closed: 0, shutdown: 0 };

  constructor(options: FeedLinesOptions) {
    this.#mailbox = new Mailbox({ maxBytes: options.maxQueueBytes });
    this.#printer = new JsonLine(options.table);
  }

  /** Events that `render` has not seen. */
  get waiting(): number {
    return this.#mailbox.queuedEvents + this.#left;
  }

  get unreadable(): number {
    return this.#unreadable;
  }

  get queuedBytes(): number {
    return this.#mailbox.queuedBytes + (this.#left > 0 ? this.#batch.bytes.length - this.#at : 0);
  }

  counts(): StdoutCounts {
    const { full, closed, shutdown } = this.#dropped;
    return {
      received: this.#received,
      printed: this.#printed,
      unreadable: this.#unreadable,
      dropped: full + closed + shutdown,
      droppedBy: { full, closed, shutdown },
      queued: this.waiting + this.#rendered,
    };
  }

  /** Queues a batch and returns how many events were dropped for it. */
  accept(batch: Batch): number {
    this.#received += batch.events;
    const dropped = this.#mailbox.push(batch);
    this.#dropped.full += dropped;
    return dropped;
  }

  /** Counts a batch that came when nothing can be printed any more. */
  refuse(batch: Batch, reason: DropReason): void {
    this.#received += batch.events;
    this.#dropped[reason] += batch.events;
  }

  /**
   * Renders lines to `page`, or a single one to a buffer of its own if it may not fit there, and returns them; the chunk is
   * empty if there was nothing readable in this call's share.
   */
  render(page: ByteView): Buffer {
    let target = page;
    let to = 0;
    let taken = 0;
    while (taken < maxBytesPerRender && this.#fetch()) {
      const start = this.#at + framePrefixBytes;
      const length = this.#batch.bytes.readUInt32BE(this.#at + 1);
      const room = this.#printer.maxBytes(length) + 1;
      if (to + room > target.bytes.length) {
        if (to > 0) break;
        target = viewOf(Buffer.allocUnsafeSlow(room));
      }
      const end = this.#printer.write(this.#batch, start, start + length, target, to);
      if (end === unreadable) {
        this.#unreadable++;
      } else {
        target.bytes[end] = newline;
        to = end + 1;
        this.#rendered++;
      }
      this.#at = start + length;
      this.#left--;
      taken += framePrefixBytes + length;
    }
    return target.bytes.subarray(0, to);
  }

  /** The chunk that `render` returned has been written. */
  settle(): void {
    this.#printed += this.#rendered;
    this.#rendered = 0;
  }

  /** Drops all that is queued, the chunk being written included, and returns how many events that were. */
  abandon(reason: DropReason): number {
    const events = this.#mailbox.clear() + this.#left + this.#rendered;
    this.#dropped[reason] += events;
    this.#batch = noBatch;
    this.#left = 0;
    this.#rendered = 0;
    return events;
  }

  /** Makes sure that there is an event to render; false when all are. */
  #fetch(): boolean {
    while (this.#left === 0) {
      const batch = this.#mailbox.shift();
      if (batch === undefined) {
        this.#batch = noBatch;
        return false;
      }
      this.#batch = viewOf(batch.bytes);
      this.#at = 0;
      this.#left = batch.events;
    }
    return true;
  }
}
