import type { Clock } from "./clock.ts";

interface Timer {
  readonly atMs: number;
  readonly ordinal: number;
  readonly callback: () => void;
}

/** A clock for tests: time passes only in `advance()`, and timers fire in the order of their time. */
export class FakeClock implements Clock {
  #nowMs: number;
  #ordinal = 0;
  readonly #timers = new Set<Timer>();

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), ordinal: this.#ordinal++, callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  soon(callback: () => void): void {
    this.after(0, callback);
  }

  /** Lets `ms` pass: every timer due by then fires, those that it sets included. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.#timers) {
        if (timer.atMs > untilMs) continue;
        if (
          next === undefined ||
          timer.atMs < next.atMs ||
          (timer.atMs === next.atMs && timer.ordinal < next.ordinal)
        ) {
          next = timer;
        }
      }
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = next.atMs;
      next.callback();
    }
    this.#nowMs = untilMs;
  }
}
