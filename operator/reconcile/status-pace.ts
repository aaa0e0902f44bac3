import type { Clock } from "../../lib/process/clock.ts";
import { RecentTimes } from "./recent-times.ts";

/** Between two statuses that tell of nothing but this: how far a rollout is, or what is counted all the time. */
const everyMs = { progress: 2_000, numbers: 10_000 } as const;
/**
 * Whatever there is to tell, so that pods which change their mind all the time cost the server no more than this: so many
 * writes at once, then one in each of these times.
 */
const burst = 5;
const refillMs = 1_000;
/**
 * `report`: pods take up new settings within this, as a rule, so that the change and its success are one status. `silence`:
 * what the clocks of the server and of the operator say of a pod is believed after having waited for this, as they may differ.
 */
const patienceMs = { report: 2_000, silence: 10_000 } as const;
/** Longer than anybody is waited for: what is older is of a relay that went away. */
const forgetAfterMs = 120_000;

/** When the status of each relay was last written, so that a rollout is not a write for each of its steps. */
export class StatusPace {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #writtenMs = new RecentTimes(Math.max(...Object.values(everyMs)));
  /** When the writes so far would have been over, had they come one by one. */
  readonly #spentMs = new RecentTimes(0);
  /** Since when a relay's pods have been waited for. */
  readonly #awaitingMs = new RecentTimes(forgetAfterMs);

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** How long news of this kind has to wait; 0 = it may be written now. */
  waitMs(key: string, kind: keyof typeof everyMs): number {
    const writtenMs = this.#writtenMs.get(key);
    return writtenMs === undefined ? 0 : Math.max(0, writtenMs + everyMs[kind] - this.#clock.monotonic());
  }

  /** How long any news has to wait, as there was so much of it. */
  floorMs(key: string): number {
    const nowMs = this.#clock.monotonic();
    return Math.max(0, (this.#spentMs.get(key) ?? nowMs) - (burst - 1) * refillMs - nowMs);
  }

  /** How long the reports of a relay's pods are still waited for before it is said that they are missing; 0 = no longer. */
  patienceMs(key: string, kind: keyof typeof patienceMs): number {
    const nowMs = this.#clock.monotonic();
    const sinceMs = this.#awaitingMs.get(key) ?? nowMs;
    if (sinceMs === nowMs) this.#awaitingMs.set(key, nowMs, nowMs);
    return Math.max(0, sinceMs + patienceMs[kind] - nowMs);
  }

  /** Nothing is waited for any more. */
  reported(key: string): void {
    this.#awaitingMs.delete(key);
  }

  wrote(key: string): void {
    const nowMs = this.#clock.monotonic();
    this.#writtenMs.set(key, nowMs, nowMs);
    this.#spentMs.set(key, Math.max(nowMs, this.#spentMs.get(key) ?? nowMs) + refillMs, nowMs);
  }
}
