import type { Batch } from "../hub/batch.ts";
import { type ConsumerCounts, type DropReason, noDrops } from "../hub/counts.ts";
import { Mailbox, type OnDrop } from "../hub/mailbox.ts";
import { framePrefixBytes } from "../wire/frame-cutter.ts";
import { JsonLine, unreadable } from "./json-line.ts";
import type { MessageTable } from "./json-line-table.ts";
import { type ByteView, viewOf } from "./json-line-text.ts";

export interface FeedLinesOptions {
  readonly table: MessageTable;
  /** What may wait, as it came from the wire. */
  readonly maxQueueBytes: number;
}

const newline = 0x0a;
/** Wire bytes that one call of `render` takes at most beyond its first event: well under a millisecond's work. */
const maxBytesPerRender = 64 * 1024;

/** The events of one feed on their way to lines: waiting as they came, rendered when they can be written, accounted for. */
export class FeedLines {
  readonly #mailbox: Mailbox;
  readonly #printer: JsonLine;
  /** Lines in the chunk being written. */
  #rendered = 0;
  #offered = 0;
  #printed = 0;
  #unreadable = 0;
  readonly #dropped = noDrops();

  /** `onDrop` hears of every event that is dropped for want of room, now or later. */
  constructor(options: FeedLinesOptions, onDrop: OnDrop) {
    this.#mailbox = new Mailbox({ maxBytes: options.maxQueueBytes }, (reason, events) => {
      this.#dropped[reason] += events;
      onDrop(reason, events);
    });
    this.#printer = new JsonLine(options.table);
  }

  /** Events that `render` has not seen. */
  get waiting(): number {
    return this.#mailbox.queuedEvents;
  }

  get unreadable(): number {
    return this.#unreadable;
  }

  get queuedBytes(): number {
    return this.#mailbox.queuedBytes;
  }

  counts(): ConsumerCounts {
    return {
      offered: this.#offered,
      delivered: this.#printed,
      filtered: 0,
      unreadable: this.#unreadable,
      dropped: { ...this.#dropped },
      queued: this.waiting + this.#rendered,
    };
  }

  accept(batch: Batch): void {
    this.#offered += batch.events;
    this.#mailbox.push(batch);
  }

  /** Counts a batch that came when nothing can be printed any more. */
  refuse(batch: Batch, reason: DropReason): void {
    this.#offered += batch.events;
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
    // All that is left of a page is taken out of the mailbox at once, before the next page is looked at.
    for (let isFull = false; !isFull; ) {
      const { head } = this.#mailbox;
      if (head === undefined || taken >= maxBytesPerRender) break;
      const source = viewOf(head.page.bytes);
      let at = head.start;
      let events = 0;
      while (events < head.events && taken + at - head.start < maxBytesPerRender) {
        const start = at + framePrefixBytes;
        const length = source.bytes.readUInt32BE(at + 1);
        const room = this.#printer.maxBytes(length) + 1;
        if (to + room > target.bytes.length) {
          isFull = to > 0;
          if (isFull) break;
          target = viewOf(Buffer.allocUnsafeSlow(room));
        }
        const end = this.#printer.write(source, start, start + length, target, to);
        if (end === unreadable) {
          this.#unreadable++;
        } else {
          target.bytes[end] = newline;
          to = end + 1;
          this.#rendered++;
        }
        at = start + length;
        events++;
      }
      taken += at - head.start;
      this.#mailbox.trim(at - head.start, events);
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
    const events = this.#mailbox.clear() + this.#rendered;
    this.#dropped[reason] += events;
    this.#rendered = 0;
    return events;
  }
}
