import type { Clock } from "../../lib/process/clock.ts";
import type { FeedId } from "../feeds.ts";
import type { Consumer } from "./batch.ts";
import type { Budget } from "./budget.ts";
import type { FeedTotals } from "./counts.ts";
import { type Frames, firstFrameBytes, framesThatFit } from "./frames-that-fit.ts";
import type { Membership } from "./membership.ts";
import { Pacer } from "./pacer.ts";
import type { Page } from "./page.ts";

export interface ChannelOptions {
  readonly pageBytes: number;
  readonly minIntervalMs: number;
}

export interface ChannelDeps {
  readonly budget: Budget;
  readonly clock: Clock;
}

/** One feed in the hub: what is being gathered, and who gets it. */
export class Channel {
  readonly #feed: FeedId;
  readonly #deps: ChannelDeps;
  readonly #pacer: Pacer;
  /** Replaced, never changed: a consumer may come or go while a batch is being offered. */
  #consumers: readonly Consumer[] = [];
  /** Open while events are appended to it. */
  #page: Page | undefined;
  /** What is gathered in the page and not handed over yet is [start, end). */
  #start = 0;
  #end = 0;
  #gathered = 0;
  #gatheredAtMs = 0;
  #received = 0;
  #unclaimed = 0;
  #handed = 0;

  constructor(feed: FeedId, options: ChannelOptions, deps: ChannelDeps) {
    this.#feed = feed;
    this.#deps = deps;
    this.#pacer = new Pacer(options, deps.clock, () => this.flush());
  }

  publish(run: Buffer, events: number): void {
    this.#received += events;
    if (this.#consumers.length === 0) {
      this.#unclaimed += events;
      return;
    }
    let from = 0;
    let left = events;
    while (left > 0) {
      const page = this.#page;
      const fit = framesThatFit(run, from, left, page === undefined ? 0 : page.bytes.length - this.#end);
      if (page === undefined || fit.events === 0) this.#turnPage(firstFrameBytes(run, from));
      else this.#gather(page, run, from, fit);
      from = fit.end;
      left -= fit.events;
    }
    this.#pacer.request();
  }

  subscribe(consumer: Consumer): Membership {
    // What was gathered before belongs to those who were here before.
    this.flush();
    this.#consumers = [...this.#consumers, consumer];
    const joinedAt = this.#handed;
    let leftAt: number | undefined;
    const handed = () => leftAt ?? this.#handed;
    return {
      get expected() {
        return handed() - joinedAt;
      },
      leave: () => {
        if (leftAt !== undefined) return;
        leftAt = this.#handed;
        this.#consumers = this.#consumers.filter((other) => other !== consumer);
        if (this.#consumers.length === 0) this.#abandon();
      },
    };
  }

  flush(): void {
    const page = this.#page;
    if (page === undefined || this.#gathered === 0) return;
    if (this.#consumers.length === 0) {
      this.#abandon();
      return;
    }
    const batch = {
      feed: this.#feed,
      page,
      bytes: page.bytes.subarray(this.#start, this.#end),
      events: this.#gathered,
      atMs: this.#gatheredAtMs,
    };
    this.#handed += this.#gathered;
    this.#start = this.#end;
    this.#gathered = 0;
    for (const consumer of this.#consumers) consumer.offer(batch);
  }

  totals(): FeedTotals {
    return {
      received: this.#received,
      unclaimed: this.#unclaimed,
      gathered: this.#gathered,
      handed: this.#handed,
    };
  }

  #gather(page: Page, run: Buffer, from: number, fit: Frames): void {
    if (this.#gathered === 0) this.#gatheredAtMs = this.#deps.clock.monotonic();
    page.bytes.set(run.subarray(from, fit.end), this.#end);
    this.#end += fit.end - from;
    this.#gathered += fit.events;
  }

  #turnPage(bytes: number): void {
    this.flush();
    this.#dropPage();
    this.#page = this.#deps.budget.take(bytes);
  }

  /** Nobody is left for what is being gathered: it is as if it had come now. */
  #abandon(): void {
    this.#unclaimed += this.#gathered;
    this.#gathered = 0;
    this.#dropPage();
  }

  #dropPage(): void {
    this.#page?.close();
    this.#page = undefined;
    this.#start = 0;
    this.#end = 0;
  }
}
