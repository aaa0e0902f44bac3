import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Clock } from "../../lib/process/clock.ts";

/** What is used of Node's histogram; its values are nanoseconds. */
export interface DelayHistogram {
  readonly count: number;
  readonly max: number;
  percentile(percentile: number): number;
  enable(): boolean;
  disable(): boolean;
  reset(): void;
}

export interface DelaySummary {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const resolutionMs = 10;
const windowMs = 60_000;

/** How late the event loop came to its work, in the last whole minute, or in the first one while it lasts. */
export class EventLoopDelay implements Disposable {
  readonly #clock: Pick<Clock, "after">;
  readonly #histogram: DelayHistogram;
  #lastWindow: DelaySummary | undefined;
  #cancel: () => void;

  constructor(
    clock: Pick<Clock, "after">,
    histogram: DelayHistogram = monitorEventLoopDelay({ resolution: resolutionMs }),
  ) {
    this.#clock = clock;
    this.#histogram = histogram;
    histogram.enable();
    this.#cancel = clock.after(windowMs, () => this.#turn());
  }

  summary(): DelaySummary {
    return this.#lastWindow ?? this.#read();
  }

  [Symbol.dispose](): void {
    this.#cancel();
    this.#histogram.disable();
  }

  #turn(): void {
    this.#lastWindow = this.#read();
    this.#histogram.reset();
    this.#cancel = this.#clock.after(windowMs, () => this.#turn());
  }

  #read(): DelaySummary {
    const histogram = this.#histogram;
    if (histogram.count === 0) return { p50Ms: 0, p99Ms: 0, maxMs: 0 };
    return {
      p50Ms: delayMs(histogram.percentile(50)),
      p99Ms: delayMs(histogram.percentile(99)),
      maxMs: delayMs(histogram.max),
    };
  }
}

/** What the histogram holds is the time between two of its ticks. */
function delayMs(nanoseconds: number): number {
  return Math.max(0, Math.round(nanoseconds / 1e5 - resolutionMs * 10) / 10);
}
