import type { Clock } from "../../lib/process/clock.ts";
import { type FeedId, feeds } from "../feeds.ts";

export type FeedCounts = Readonly<Record<FeedId, number>>;

export function perFeed(value: (feed: FeedId) => number): FeedCounts {
  return Object.fromEntries(feeds.map(({ id }) => [id, value(id)])) as Record<FeedId, number>;
}

interface Sample {
  readonly atMs: number;
  readonly counts: FeedCounts;
}

export interface HistoryOptions {
  readonly stepMs: number;
  /** How far back it goes. */
  readonly keepMs: number;
}

/**
 * How many events of each feed had come by when, in coarse steps: counters are looked at now and then, so that an event costs
 * nothing. Times are those of the monotonic clock.
 */
export class History implements Disposable {
  readonly #options: HistoryOptions;
  readonly #clock: Clock;
  readonly #read: () => FeedCounts;
  /** The oldest first. */
  #samples: Sample[] = [];
  #cancel = () => {};

  constructor(options: HistoryOptions, clock: Clock, read: () => FeedCounts) {
    this.#options = options;
    this.#clock = clock;
    this.#read = read;
    this.#sample();
  }

  /** At least as many events as have come after `atMs`, and at most those of one step more; undefined when it does not go back that far. */
  since(feed: FeedId, atMs: number): number | undefined {
    const before = this.#samples.findLast((sample) => sample.atMs <= atMs);
    return before === undefined ? undefined : this.#read()[feed] - before.counts[feed];
  }

  /** A time by which at most `count` events had come: the last one known, or -Infinity. */
  timeOf(feed: FeedId, count: number): number {
    return this.#samples.findLast((sample) => sample.counts[feed] <= count)?.atMs ?? Number.NEGATIVE_INFINITY;
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }

  #sample(): void {
    const { stepMs, keepMs } = this.#options;
    const atMs = this.#clock.monotonic();
    this.#samples.push({ atMs, counts: this.#read() });
    // All at once, now and then.
    if (this.#samples.length > (2 * keepMs) / stepMs) {
      this.#samples = this.#samples.filter((sample) => sample.atMs >= atMs - keepMs);
    }
    this.#cancel = this.#clock.after(stepMs, () => this.#sample());
  }
}
