import type { FeedId } from "../feeds.ts";
import type { Batch, Consumer } from "../hub/batch.ts";
import { Mailbox, type Segment } from "../hub/mailbox.ts";
import { framePrefixBytes } from "../wire/frame-cutter.ts";

/** What a backlog had when it was ended. */
export interface Leftovers {
  /** Kept for the case that nobody else prints them. */
  readonly kept: number;
  /** Of these there was no room for. */
  readonly lost: number;
  /** Set aside: nobody else can print them. */
  readonly aside: number;
  /** Of these there was no room for. */
  readonly asideLost: number;
}

/**
 * The newest events of one feed, kept for the case that nobody else has printed them, and those set aside that nobody else
 * can print. Invariant: what it was offered is forgotten (another one has seen to it), lost (there was no room to keep it),
 * queued, or was handed over.
 */
export class Backlog {
  readonly #feed: FeedId;
  readonly #mailbox: Mailbox;
  /** What came before all in the mailbox. */
  readonly #aside: Mailbox;
  /** The oldest events not known to be seen to, which had to go. */
  #lost = 0;
  /** The oldest of those set aside, likewise. */
  #asideLost = 0;

  constructor(feed: FeedId, maxBytes: number) {
    this.#feed = feed;
    this.#mailbox = new Mailbox({ maxBytes }, (_reason, events) => {
      this.#lost += events;
    });
    this.#aside = new Mailbox({ maxBytes }, (_reason, events) => {
      this.#asideLost += events;
    });
  }

  get queued(): number {
    return this.#mailbox.queuedEvents + this.#aside.queuedEvents;
  }

  get queuedBytes(): number {
    return this.#mailbox.queuedBytes + this.#aside.queuedBytes;
  }

  get lost(): number {
    return this.#lost + this.#asideLost;
  }

  push(batch: Batch): void {
    this.#mailbox.push(batch);
  }

  /** All but the newest `events`, and what is set aside, have been seen to by another one. Returns how many are forgotten for it. */
  keep(events: number): number {
    const surplus = Math.max(0, this.#lost + this.#mailbox.queuedEvents - events);
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

  /**
   * Nobody else can print what came before `beforeMs`, except that the newest `events` came later for sure. Returns how many
   * are set aside for it.
   */
  setAside(beforeMs: number, events: number): number {
    const before = this.#aside.queuedEvents + this.#asideLost;
    for (let { head } = this.#mailbox; head !== undefined && head.atMs < beforeMs; { head } = this.#mailbox) {
      const taken = Math.min(head.events, this.#mailbox.queuedEvents - events);
      if (taken <= 0) break;
      // What there was no room for is older than what there was.
      this.#asideLost += this.#lost;
      this.#lost = 0;
      const batch = { ...batchOf(this.#feed, head), bytes: bytesIn(head, bytesOf(head, taken)), events: taken };
      this.#aside.push(batch);
      this.#mailbox.trim(batch.bytes.length, taken);
    }
    return this.#aside.queuedEvents + this.#asideLost - before;
  }

  /** Gives up what is queued and what was lost, and returns how many events of each that were. */
  handOver(consumer: Consumer): { readonly handed: number; readonly lost: number } {
    const handed = this.queued;
    const { lost } = this;
    for (const mailbox of [this.#aside, this.#mailbox]) {
      for (let { head } = mailbox; head !== undefined; { head } = mailbox) {
        const batch = batchOf(this.#feed, head);
        consumer.offer(batch);
        mailbox.trim(batch.bytes.length, batch.events);
      }
    }
    this.#lost = 0;
    this.#asideLost = 0;
    return { handed, lost };
  }

  /** Forgets everything and returns how many events that were. */
  clear(): Leftovers {
    const [lost, asideLost] = [this.#lost, this.#asideLost];
    this.#lost = 0;
    this.#asideLost = 0;
    return { kept: this.#mailbox.clear(), lost, aside: this.#aside.clear(), asideLost };
  }
}

function batchOf(feed: FeedId, segment: Segment): Batch {
  const { page, start, end, events, atMs } = segment;
  return { feed, page, bytes: bytesIn(segment, end - start), events, atMs };
}

/** The first of a segment. */
function bytesIn({ page, start }: Segment, bytes: number): Buffer {
  return page.bytes.subarray(start, start + bytes);
}

/** Of the first `events` of a segment. */
function bytesOf({ page, start, end, events: all }: Segment, events: number): number {
  if (events === all) return end - start;
  let at = start;
  for (let seen = 0; seen < events; seen++) at += framePrefixBytes + page.bytes.readUInt32BE(at + 1);
  return at - start;
}
