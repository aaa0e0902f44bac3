import type { Clock } from "../../lib/process/clock.ts";

/** Between two statuses that tell of nothing but this: how far a rollout is, or what is counted all the time. */
const everyMs = { progress: 2_000, numbers: 10_000 } as const;
const longestMs = Math.max(...Object.values(everyMs));
/** Pods take up new settings within this, as a rule, so that the change and its success are one status. */
const patienceMs = 2_000;
/** Longer than anybody is waited for: what is older is of a relay that went away. */
const forgetAfterMs = 60_000;

/** When the status of each relay was last written, so that a rollout is not a write for each of its steps. */
export class StatusPace {
  readonly #clock: Pick<Clock, "monotonic">;
  /** By key; only what is younger than the longest interval matters, the rest is dropped. */
  readonly #writtenMs = new Map<string, number>();
  /** By key: since when its pods have been waited for. */
  readonly #awaitingMs = new Map<string, number>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** How long news of this kind has to wait; 0 = it may be written now. */
  waitMs(key: string, kind: keyof typeof everyMs): number {
    const writtenMs = this.#writtenMs.get(key);
    return writtenMs === undefined ? 0 : Math.max(0, writtenMs + everyMs[kind] - this.#clock.monotonic());
  }

  /** How long the reports of a relay's pods are still waited for before it is said that they are missing; 0 = no longer. */
  patienceMs(key: string): number {
    const nowMs = this.#clock.monotonic();
    const sinceMs = this.#awaitingMs.get(key) ?? nowMs;
    dropOld(this.#awaitingMs, nowMs - forgetAfterMs);
    if (!this.#awaitingMs.has(key)) this.#awaitingMs.set(key, sinceMs);
    return Math.max(0, sinceMs + patienceMs - nowMs);
  }

  /** Nothing is waited for any more. */
  reported(key: string): void {
    this.#awaitingMs.delete(key);
  }

  wrote(key: string): void {
    const nowMs = this.#clock.monotonic();
    this.#writtenMs.delete(key);
    this.#writtenMs.set(key, nowMs);
    dropOld(this.#writtenMs, nowMs - longestMs);
  }
}

/** In order of time: what is too old to matter is at the front. */
function dropOld(times: Map<string, number>, untilMs: number): void {
  for (const [key, atMs] of times) {
    if (atMs > untilMs) return;
    times.delete(key);
  }
}
