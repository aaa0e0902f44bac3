import type { Clock } from "../../lib/process/clock.ts";
import { type FeedId, feeds } from "../feeds.ts";

export type FeedCounts = Readonly<Record<FeedId, number>>;

export function perFeed(value: (feed: FeedId) => number): FeedCounts {
  return Object.fromEntries(feeds.map(({ id }) => [id, value(id)])) as Record<FeedId, number>;
}

/** How many events had come by then. */
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
 * How many events of each feed had come by when, in coarse steps: counters are looked at now and then while events come, so
 * that an event costs nothing, and a time without any neither. Times are those of the monotonic clock.
 */
export class History implements Disposable {
  readonly #options: HistoryOptions;
  readonly #clock: Clock;
  readonly #read: () => FeedCounts;
  /** The oldest first. */
  #samples: Sample[] = [];
  #isWaiting = false;
  #cancel = () => {};

  constructor(options: HistoryOptions, clock: Clock, read: () => FeedCounts) {
    this.#options = options;
    this.#clock = clock;
    this.#read = read;
    this.#sample();
  }

  /** To be called before events are counted: they come now. */
  note(): void {
    if (this.#isWaiting) return;
    this.#sample();
    this.#wait();
  }

  /** At least as many events as have come after `atMs`, and at most those of one step more; undefined when it does not go back that far. */
  since(feed: FeedId, atMs: number): number | undefined {
    const before = this.#samples.findLast((sample) => sample.atMs <= atMs);
    return before === undefined ? undefined : this.#read()[feed] - before.counts[feed];
  }

  /** At most as many as that, and at least those of all but one step; undefined likewise. */
  after(feed: FeedId, atMs: number): number | undefined {
    const first = this.#samples.findIndex((sample) => sample.atMs >= atMs);
    if (first === 0 && this.#samples[0]?.atMs !== atMs) return undefined;
    return this.#read()[feed] - (this.#samples[first]?.counts[feed] ?? this.#read()[feed]);
  }

  /** A time by which at most `count` events had come: the last one known, or -Infinity. */
  timeOf(feed: FeedId, count: number): number {
    return this.#samples.findLast((sample) => sample.counts[feed] <= count)?.atMs ?? Number.NEGATIVE_INFINITY;
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }

  /** Looks again in a step, and goes on as long as there is something new. */
  #wait(): void {
    this.#isWaiting = true;
    this.#cancel = this.#clock.after(this.#options.stepMs, () => {
      this.#isWaiting = false;
      if (this.#sample()) this.#wait();
    });
  }

  /** Returns whether events have come since the last one. */
  #sample(): boolean {
    const { stepMs, keepMs } = this.#options;
    const atMs = this.#clock.monotonic();
    const counts = this.#read();
    const last = this.#samples.at(-1);
    this.#samples.push({ atMs, counts });
    // All at once, now and then. The last one before the time that is kept tells what had come by its beginning.
    if (this.#samples.length > (2 * keepMs) / stepMs) {
      const first = this.#samples.findLastIndex((sample) => sample.atMs <= atMs - keepMs);
      this.#samples = this.#samples.slice(Math.max(0, first));
    }
    return last === undefined || feeds.some(({ id }) => counts[id] !== last.counts[id]);
  }
}
