import type { Clock } from "../../lib/process/clock.ts";
import type { Batch, Consumer } from "../hub/batch.ts";
import type { Budget } from "../hub/budget.ts";
import { type ConsumerCounts, type DropReason, noDrops } from "../hub/counts.ts";
import { Mailbox, type Segment } from "../hub/mailbox.ts";

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

export interface SubscriberDeps {
  readonly stream: EventStream;
  readonly clock: Pick<Clock, "monotonic">;
  readonly budget: Pick<Budget, "mayBegin" | "mayExtend">;
}

/** How far behind the hub a client is, in milliseconds. */
export interface Lag {
  /** Age of the oldest event that is not delivered; 0 when all are. */
  readonly nowMs: number;
  /** Age of the oldest event of the last write, when that ended. */
  readonly lastMs: number;
  readonly worstMs: number;
}

/**
 * One client of one feed. A single write is under way at a time; what arrives meanwhile waits in the mailbox and shares
 * the next one, so a client that is slow costs its mailbox and nothing else.
 */
export class Subscriber implements Consumer {
  readonly #stream: EventStream;
  readonly #clock: SubscriberDeps["clock"];
  readonly #budget: SubscriberDeps["budget"];
  readonly #maxWriteBytes: number;
  readonly #mailbox: Mailbox;
  /** What the write under way carries; the pages are pinned until it has ended. */
  #writing: readonly Segment[] = [];
  #offered = 0;
  #delivered = 0;
  #deliveredBytes = 0;
  readonly #dropped = noDrops();
  #closedFor: "disconnected" | "shutdown" | undefined;
  #lastLagMs = 0;
  #worstLagMs = 0;
  /** Whoever waits for `idle`. */
  #waiting: (() => void)[] = [];

  constructor(options: SubscriberOptions, deps: SubscriberDeps) {
    this.#stream = deps.stream;
    this.#clock = deps.clock;
    this.#budget = deps.budget;
    this.#maxWriteBytes = options.maxWriteBytes;
    this.#mailbox = new Mailbox({ maxBytes: options.mailboxBytes }, (reason, events) => this.#drop(reason, events));
  }

  offer(batch: Batch): void {
    this.#offered += batch.events;
    if (this.#closedFor !== undefined) {
      this.#drop(this.#closedFor, batch.events);
      return;
    }
    this.#mailbox.push(batch);
    if (this.#writing.length === 0) this.#write();
  }

  /** Takes effect at once. */
  configure({ mailboxBytes }: { readonly mailboxBytes: number }): void {
    this.#mailbox.configure(mailboxBytes);
  }

  counts(): ConsumerCounts {
    return {
      offered: this.#offered,
      delivered: this.#delivered,
      filtered: 0,
      unreadable: 0,
      dropped: { ...this.#dropped },
      queued: this.#mailbox.queuedEvents + eventsOf(this.#writing),
    };
  }

  get queuedBytes(): number {
    return this.#mailbox.queuedBytes;
  }

  get deliveredBytes(): number {
    return this.#deliveredBytes;
  }

  get lag(): Lag {
    const oldest = this.#writing[0] ?? this.#mailbox.head;
    return {
      nowMs: oldest === undefined ? 0 : this.#clock.monotonic() - oldest.atMs,
      lastMs: this.#lastLagMs,
      worstMs: this.#worstLagMs,
    };
  }

  /** Resolves when nothing is queued any more, be it sent or lost. */
  idle(): Promise<void> {
    if (this.#mailbox.queuedEvents === 0 && this.#writing.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** No more is sent: what is queued is lost and counted. */
  close(reason: "disconnected" | "shutdown"): void {
    if (this.#closedFor !== undefined) return;
    this.#closedFor = reason;
    this.#drop(reason, this.#mailbox.clear());
    this.#reportIdle();
  }

  /** What the next write carries. */
  #take(): readonly Segment[] {
    const segments: Segment[] = [];
    let bytes = 0;
    for (let { head } = this.#mailbox; head !== undefined; { head } = this.#mailbox) {
      const isFirst = segments.length === 0;
      if (isFirst && !this.#budget.mayBegin(head.page)) {
        this.#mailbox.evict(head.page);
        continue;
      }
      if (!isFirst && (bytes >= this.#maxWriteBytes || !this.#budget.mayExtend(head.page))) break;
      this.#mailbox.shift();
      segments.push(head);
      bytes += head.end - head.start;
    }
    return segments;
  }

  #write(): void {
    const segments = this.#take();
    this.#writing = segments;
    const last = segments.at(-1);
    if (last === undefined) {
      this.#reportIdle();
      return;
    }
    if (segments.length === 1) {
      this.#stream.write(bytesOf(last), this.#onWritten);
      return;
    }
    // Corked, they reach the connection as one gathered write; the last of them speaks for all.
    this.#stream.cork();
    for (const segment of segments) {
      this.#stream.write(bytesOf(segment), segment === last ? this.#onWritten : ignoreResult);
    }
    this.#stream.uncork();
  }

  readonly #onWritten = (error?: Error | null): void => {
    const segments = this.#writing;
    this.#writing = [];
    if (error === undefined || error === null) this.#settle(segments);
    else this.#drop(this.#closedFor ?? "disconnected", eventsOf(segments));
    for (const { page } of segments) {
      // A connection may still be sending what a stream gave it when the stream ended.
      if (error !== undefined && error !== null) page.taint();
      page.unpin();
    }
    if (this.#closedFor === undefined) this.#write();
    else this.#reportIdle();
  };

  #settle(segments: readonly Segment[]): void {
    for (const { start, end, events } of segments) {
      this.#delivered += events;
      this.#deliveredBytes += end - start;
    }
    this.#lastLagMs = this.#clock.monotonic() - (segments[0]?.atMs ?? 0);
    this.#worstLagMs = Math.max(this.#worstLagMs, this.#lastLagMs);
  }

  #drop(reason: DropReason, events: number): void {
    this.#dropped[reason] += events;
  }

  #reportIdle(): void {
    if (this.#writing.length > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function bytesOf({ page, start, end }: Segment): Buffer {
  return page.bytes.subarray(start, end);
}

function eventsOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { events }) => sum + events, 0);
}

function ignoreResult(): void {}
