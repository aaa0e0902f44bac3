import type { Batch } from "./batch.ts";
import type { Page, PageHolder } from "./page.ts";

export interface MailboxOptions {
  /** What may wait here. At least one batch always fits, whatever its size. */
  readonly maxBytes: number;
}

/** Events that lie one after the other in a page. */
export interface Segment {
  readonly page: Page;
  readonly start: number;
  readonly end: number;
  readonly events: number;
  /** When the first of them came, on the monotonic clock. */
  readonly atMs: number;
}

/** Told what had to go: because of this mailbox's own bound, or of the budget that all share. */
export type OnDrop = (reason: "mailbox" | "budget", events: number) => void;

/**
 * The queue of one consumer of one feed: bounded in bytes, drop-oldest, because the newest evidence is worth more to
 * whoever has fallen behind. Batches that were gathered one after the other wait as one segment, so that there are about
 * as many of those as pages, and one write can take a page. Invariant: every event pushed is taken, cleared, dropped or
 * still queued.
 */
export class Mailbox implements PageHolder {
  readonly #onDrop: OnDrop;
  #maxBytes: number;
  #segments: Segment[] = [];
  #queuedBytes = 0;
  #queuedEvents = 0;

  constructor(options: MailboxOptions, onDrop: OnDrop) {
    this.#maxBytes = options.maxBytes;
    this.#onDrop = onDrop;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get queuedEvents(): number {
    return this.#queuedEvents;
  }

  /** The oldest segment. It may grow until it is taken. */
  get head(): Segment | undefined {
    return this.#segments[0];
  }

  /** Takes effect at once. */
  configure(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#makeRoom(0);
  }

  /** Adds the newest batch; the oldest segments go for it if need be. Batches of a page come one after the other. */
  push({ page, bytes, events, atMs }: Batch): void {
    this.#makeRoom(bytes.length);
    const start = bytes.byteOffset - page.bytes.byteOffset;
    const end = start + bytes.length;
    const last = this.#segments.at(-1);
    if (last !== undefined && last.page === page && last.end === start) {
      const grown = { page, start: last.start, end, events: last.events + events, atMs: last.atMs };
      this.#segments[this.#segments.length - 1] = grown;
    } else {
      page.hold(this);
      this.#segments.push({ page, start, end, events, atMs });
    }
    this.#queuedBytes += bytes.length;
    this.#queuedEvents += events;
  }

  /** Takes the oldest segment, whose page is pinned for the caller. */
  shift(): Segment | undefined {
    const { head } = this;
    if (head === undefined) return undefined;
    head.page.pin();
    this.#removeHead(head);
    return head;
  }

  /** The consumer is done with the oldest `events`, which are the first `bytes` of the head. */
  trim(bytes: number, events: number): void {
    const { head } = this;
    if (head === undefined) return;
    if (events >= head.events) {
      this.#removeHead(head);
      return;
    }
    this.#segments[0] = { ...head, start: head.start + bytes, events: head.events - events };
    this.#queuedBytes -= bytes;
    this.#queuedEvents -= events;
  }

  evict(page: Page): void {
    // Most often it is the head: that is the oldest.
    const start = this.#segments.findIndex((segment) => segment.page === page);
    let end = start;
    while (this.#segments[end]?.page === page) end++;
    let events = 0;
    for (const segment of this.#segments.splice(start, end - start)) {
      events += segment.events;
      this.#forget(segment);
    }
    this.#onDrop("budget", events);
  }

  /** Empties the queue and returns how many events were in it. */
  clear(): number {
    const events = this.#queuedEvents;
    for (const segment of this.#segments) this.#forget(segment);
    this.#segments = [];
    return events;
  }

  #makeRoom(bytes: number): void {
    let events = 0;
    for (let { head } = this; head !== undefined && this.#queuedBytes + bytes > this.#maxBytes; { head } = this) {
      events += head.events;
      this.#removeHead(head);
    }
    if (events > 0) this.#onDrop("mailbox", events);
  }

  #removeHead(head: Segment): void {
    this.#segments.shift();
    this.#forget(head);
  }

  #forget({ page, start, end, events }: Segment): void {
    this.#queuedBytes -= end - start;
    this.#queuedEvents -= events;
    page.release(this);
  }
}
