import type { FeedId } from "../feeds.ts";
import type { Batch, Consumer } from "../hub/batch.ts";
import { Mailbox, type Segment } from "../hub/mailbox.ts";
import { framePrefixBytes } from "../wire/frame-cutter.ts";

/**
 * The newest events of one feed, kept for the case that nobody else has printed them. Invariant: what it was offered is
 * forgotten (another one has seen to it), lost (there was no room to keep it), queued, or was handed over.
 */
export class Backlog {
  readonly #feed: FeedId;
  readonly #mailbox: Mailbox;
  /** The oldest events not known to be seen to, which had to go. */
  #lost = 0;

  constructor(feed: FeedId, maxBytes: number) {
    this.#feed = feed;
    this.#mailbox = new Mailbox({ maxBytes }, (_reason, events) => {
      this.#lost += events;
    });
  }

  get queued(): number {
    return this.#mailbox.queuedEvents;
  }

  get queuedBytes(): number {
    return this.#mailbox.queuedBytes;
  }

  get lost(): number {
    return this.#lost;
  }

  push(batch: Batch): void {
    this.#mailbox.push(batch);
  }

  /** All but the newest `events` have been seen to by another one. Returns how many are forgotten for it. */
  keep(events: number): number {
    const surplus = Math.max(0, this.#lost + this.queued - events);
    const lost = Math.min(this.#lost, surplus);
    this.#lost -= lost;
    let left = surplus - lost;
    for (let { head } = this.#mailbox; head !== undefined && left > 0; { head } = this.#mailbox) {
      const taken = Math.min(left, head.events);
      this.#mailbox.trim(bytesOf(head, taken), taken);
      left -= taken;
    }
    return surplus;
  }

  /** Gives up what is queued and what was lost, and returns how many events of each that were. */
  handOver(consumer: Consumer): { readonly handed: number; readonly lost: number } {
    const handed = this.queued;
    const lost = this.#lost;
    this.#lost = 0;
    for (let { head } = this.#mailbox; head !== undefined; { head } = this.#mailbox) {
      const { page, start, end, events, atMs } = head;
      consumer.offer({ feed: this.#feed, page, bytes: page.bytes.subarray(start, end), events, atMs });
      this.#mailbox.trim(end - start, events);
    }
    return { handed, lost };
  }

  /** Forgets everything and returns how many events that were. */
  clear(): number {
    const events = this.#mailbox.clear() + this.#lost;
    this.#lost = 0;
    return events;
  }
}

/** Of the first `events` of a segment. */
function bytesOf({ page, start, end, events: all }: Segment, events: number): number {
  if (events === all) return end - start;
  let at = start;
  for (let seen = 0; seen < events; seen++) at += framePrefixBytes + page.bytes.readUInt32BE(at + 1);
  return at - start;
}
