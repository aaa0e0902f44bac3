import type { Clock } from "./clock.ts";

export interface Rate {
  /** What may be taken at once. */
  readonly burst: number;
  readonly perSecond: number;
}

/** Lets something through at a rate: a full bucket at once, and then what drips into it. */
export class TokenBucket {
  readonly #rate: Rate;
  readonly #clock: Pick<Clock, "monotonic">;
  #tokens: number;
  #filledMs: number;

  constructor(rate: Rate, clock: Pick<Clock, "monotonic">) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#filledMs = clock.monotonic();
  }

  /** Full again: nothing of its past matters any more. */
  get isFull(): boolean {
    this.#fill();
    return this.#tokens === this.#rate.burst;
  }

  /** Returns whether there was enough in it. */
  take(tokens = 1): boolean {
    this.#fill();
    if (tokens > this.#tokens) return false;
    this.#tokens -= tokens;
    return true;
  }

  #fill(): void {
    const { burst, perSecond } = this.#rate;
    const nowMs = this.#clock.monotonic();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#filledMs) * perSecond) / 1000);
    this.#filledMs = nowMs;
  }
}
