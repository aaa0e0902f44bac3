import type { Clock } from "../../lib/process/clock.ts";

/** Between two statuses that tell of nothing but how far a rollout is. */
const progressEveryMs = 2_000;

/** When the status of each relay was last written, so that a rollout is not a write for each of its steps. */
export class StatusPace {
  readonly #clock: Pick<Clock, "monotonic">;
  /** By key; only what is younger than the interval matters, the rest is dropped. */
  readonly #writtenMs = new Map<string, number>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** How long news of progress has to wait; 0 = it may be written now. */
  waitMs(key: string): number {
    const writtenMs = this.#writtenMs.get(key);
    return writtenMs === undefined ? 0 : Math.max(0, writtenMs + progressEveryMs - this.#clock.monotonic());
  }

  wrote(key: string): void {
    const nowMs = this.#clock.monotonic();
    this.#writtenMs.delete(key);
    this.#writtenMs.set(key, nowMs);
    // In order of writing: what is too old to matter is at the front.
    for (const [other, atMs] of this.#writtenMs) {
      if (atMs + progressEveryMs > nowMs) return;
      this.#writtenMs.delete(other);
    }
  }
}
