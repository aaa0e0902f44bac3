/** Events of one feed and agent: so many a second, one at a time or in bursts. */
export interface Pace {
  readonly perSecond: number;
  /** Events come in groups of this size; the rate stays the same. */
  readonly burst: number;
}

/** No more single events at once: a queue of 1,000 must not overflow because a timer was late. */
export const largestSlice = 200;

/** Turns time into events. */
export class Pacer {
  readonly #pace: Pace;
  #credit: number;

  /** `start`: part of a burst that is due at once, so that agents do not all move in step. */
  constructor(pace: Pace, start: number) {
    this.#pace = pace;
    this.#credit = start * pace.burst;
  }

  /** How many events are due after that much more time. */
  take(elapsedMs: number): number {
    const { perSecond, burst } = this.#pace;
    // What one second brings at most: after a long stall the past is not made up for.
    const most = Math.max(perSecond, burst);
    this.#credit = Math.min(this.#credit + (perSecond * elapsedMs) / 1000, most);
    const due = Math.min(Math.floor(this.#credit / burst) * burst, Math.max(burst, largestSlice));
    this.#credit -= due;
    return due;
  }

  /** Whether more is due than one slice held. */
  get behind(): boolean {
    return this.#credit >= this.#pace.burst;
  }
}
