/** Events a second, to a tenth, over about that many seconds; over less while there is no more. */
export interface Rates {
  readonly over10s: number;
  readonly over60s: number;
}

/** How often counters are to be sampled. */
export const rateSampleMs = 5_000;
const spansMs = { over10s: 10_000, over60s: 60_000 } as const;
/** Enough to look back over the longest span. */
const maxSamples = spansMs.over60s / rateSampleMs + 1;

interface Sample {
  readonly atMs: number;
  readonly count: number;
}

/** The rates of a counter, from samples of it: the counter itself is only ever added to. Times are monotonic. */
export class RateWindow {
  readonly #samples: Sample[];

  constructor(nowMs: number) {
    this.#samples = [{ atMs: nowMs, count: 0 }];
  }

  sample(nowMs: number, count: number): void {
    this.#samples.push({ atMs: nowMs, count });
    if (this.#samples.length > maxSamples) this.#samples.shift();
  }

  rates(nowMs: number, count: number): Rates {
    return {
      over10s: this.#rate(spansMs.over10s, nowMs, count),
      over60s: this.#rate(spansMs.over60s, nowMs, count),
    };
  }

  #rate(spanMs: number, nowMs: number, count: number): number {
    const from = this.#samples.findLast(({ atMs }) => nowMs - atMs >= spanMs) ?? this.#samples[0];
    if (from === undefined || nowMs <= from.atMs) return 0;
    const perSecond = ((count - from.count) * 1_000) / (nowMs - from.atMs);
    return Math.round(perSecond * 10) / 10;
  }
}

export const noRates: Rates = { over10s: 0, over60s: 0 };

export function addRates(a: Rates, b: Rates): Rates {
  return { over10s: a.over10s + b.over10s, over60s: a.over60s + b.over60s };
}
