import type { Clock } from "../../lib/process/clock.ts";
import { type FeedId, feeds } from "../feeds.ts";
import type { Batch, Consumer } from "./batch.ts";
import { Pacer } from "./pacer.ts";

export interface HubOptions {
  /** Batches are cut from pages of this size, in bytes. */
  readonly pageBytes: number;
  /** Least time between two deliveries of a feed. */
  readonly minIntervalMs: number;
}

/** What a feed has seen since the start, in events. */
export interface FeedTotals {
  readonly received: number;
  /** Received while nobody wanted the feed. */
  readonly unclaimed: number;
}

/**
 * Gathers the runs of every node and hands them to every consumer of the feed.
 *
 * Runs are copied once, into pages that all consumers share: a consumer then costs one write of contiguous bytes however
 * many nodes there are, and what it has queued holds just its own bytes in memory, not the network chunks they came in.
 */
export class Hub {
  readonly #channels: ReadonlyMap<FeedId, Channel>;

  constructor(options: HubOptions, clock: Clock) {
    this.#channels = new Map(feeds.map(({ id }) => [id, new Channel(id, options, clock)]));
  }

  /** Takes whole frames from a node. The bytes are not kept beyond this call, unless they are a page or more. */
  publish(feed: FeedId, run: Buffer, events: number): void {
    this.#channel(feed).publish(run, events);
  }

  /** From now on `consumer` is offered every batch of the feed. The returned function ends that; calling it again is free. */
  subscribe(feed: FeedId, consumer: Consumer): () => void {
    return this.#channel(feed).subscribe(consumer);
  }

  /** Hands over at once what is still being gathered, so that draining loses nothing. */
  flush(): void {
    for (const channel of this.#channels.values()) channel.flush();
  }

  totals(feed: FeedId): FeedTotals {
    return this.#channel(feed).totals();
  }

  #channel(feed: FeedId): Channel {
    const channel = this.#channels.get(feed);
    if (channel === undefined) throw new TypeError(`Cannot find feed "${feed}" in the feed table`);
    return channel;
  }
}

class Channel {
  readonly #feed: FeedId;
  readonly #pageBytes: number;
  readonly #pacer: Pacer;
  /** Replaced, never changed: a consumer may come or go while a batch is being offered. */
  #consumers: readonly Consumer[] = [];
  #page = Buffer.alloc(0);
  /** What is gathered in the page and not handed over yet is [start, end). */
  #start = 0;
  #end = 0;
  #events = 0;
  #received = 0;
  #unclaimed = 0;

  constructor(feed: FeedId, options: HubOptions, clock: Clock) {
    this.#feed = feed;
    this.#pageBytes = options.pageBytes;
    this.#pacer = new Pacer(options, clock, () => this.flush());
  }

  publish(run: Buffer, events: number): void {
    this.#received += events;
    if (this.#consumers.length === 0) {
      this.#unclaimed += events;
      return;
    }
    if (this.#end + run.length > this.#page.length) {
      this.flush();
      if (run.length >= this.#pageBytes) {
        this.#offer({ feed: this.#feed, bytes: run, events });
        return;
      }
      this.#page = Buffer.allocUnsafeSlow(this.#pageBytes);
      this.#start = 0;
      this.#end = 0;
    }
    this.#page.set(run, this.#end);
    this.#end += run.length;
    this.#events += events;
    this.#pacer.request();
  }

  subscribe(consumer: Consumer): () => void {
    // What was gathered before belongs to those who were here before.
    this.flush();
    this.#consumers = [...this.#consumers, consumer];
    return () => {
      this.#consumers = this.#consumers.filter((other) => other !== consumer);
      // Nobody is left for what is being gathered: it is as if it had come now.
      if (this.#consumers.length === 0) this.#abandon();
    };
  }

  flush(): void {
    if (this.#events === 0) return;
    const batch = { feed: this.#feed, bytes: this.#page.subarray(this.#start, this.#end), events: this.#events };
    this.#start = this.#end;
    this.#events = 0;
    this.#offer(batch);
  }

  totals(): FeedTotals {
    return { received: this.#received, unclaimed: this.#unclaimed };
  }

  #offer(batch: Batch): void {
    for (const consumer of this.#consumers) consumer.offer(batch);
  }

  #abandon(): void {
    this.#unclaimed += this.#events;
    this.#start = this.#end;
    this.#events = 0;
  }
}
