import type { Clock } from "../../lib/process/clock.ts";
import { type FeedId, feeds } from "../feeds.ts";
import type { Consumer } from "./batch.ts";
import { Budget } from "./budget.ts";
import { Channel } from "./channel.ts";
import type { FeedTotals } from "./counts.ts";
import type { Membership } from "./membership.ts";

export interface HubOptions {
  /** Batches are cut from pages of this size, in bytes. */
  readonly pageBytes: number;
  /** Least time between two deliveries of a feed. */
  readonly minIntervalMs: number;
  /** What all pages together may take: those being gathered, queued for anybody or being written. */
  readonly bufferBytes?: number;
}

const defaultBufferBytes = 128 * 1024 * 1024;

/**
 * Gathers the runs of every node and hands them to every consumer of the feed.
 *
 * Runs are copied once, into pages that all consumers share: a consumer then costs one write of contiguous bytes however
 * many nodes there are, and what it has queued holds just its own bytes in memory, not the network chunks they came in.
 */
export class Hub {
  readonly budget: Budget;
  readonly #channels: ReadonlyMap<FeedId, Channel>;

  constructor(options: HubOptions, clock: Clock) {
    const { pageBytes, bufferBytes = defaultBufferBytes } = options;
    this.budget = new Budget({ pageBytes, maxBytes: bufferBytes });
    const deps = { budget: this.budget, clock };
    this.#channels = new Map(feeds.map(({ id }) => [id, new Channel(id, options, deps)]));
  }

  /** Takes whole frames from a node. The bytes are not kept beyond this call. */
  publish(feed: FeedId, run: Buffer, events: number): void {
    this.#channel(feed).publish(run, events);
  }

  /** From now on `consumer` is offered every batch of the feed, until it leaves. */
  subscribe(feed: FeedId, consumer: Consumer): Membership {
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
