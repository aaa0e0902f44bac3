import type { Clock } from "../../lib/process/clock.ts";

export interface WakeUpsOptions {
  /** From one waking up to the next, at least, where they would come closer; asked at every waking up. */
  readonly intervalMs: () => number;
}

export interface WakeUpsDeps {
  readonly clock: Pick<Clock, "monotonic" | "soon">;
  /** Holds the event loop up. */
  readonly sleep: (ms: number) => void;
}

/** What was read is written when the event loop has come round so often: handed over, sent, and sent what came meanwhile. */
const turnsToSettle = 3;
/** Sleeping less is not worth its system call. */
const minSleepMs = 0.2;

/**
 * Spaces the wake-ups of the event loop, as network cards do their interrupts: at ordinary rates an event costs a share of
 * waking up, reading, writing and falling asleep, and hardly anything else. When sockets become readable in short
 * succession, what was read is dealt with at once and the loop then sleeps for the rest of the interval, through which
 * the kernel gathers what comes. Timers that pause sockets would wake the loop up instead of letting it sleep.
 *
 * A lone event never waits, nor does anything when there is more to do than fits the interval.
 */
export class WakeUps {
  readonly #intervalMs: () => number;
  readonly #deps: WakeUpsDeps;
  /** How often the loop has to come round until this wake-up is over; 0 = it has not begun. */
  #turnsLeft = 0;
  #startMs = 0;
  #endMs = Number.NEGATIVE_INFINITY;
  #isBusy = false;

  constructor({ intervalMs }: WakeUpsOptions, deps: WakeUpsDeps) {
    this.#intervalMs = intervalMs;
    this.#deps = deps;
  }

  /** Told of every read, and whether there is more to read. */
  onRead(hasMore: boolean): void {
    this.#isBusy ||= hasMore;
    if (this.#turnsLeft > 0) return;
    this.#turnsLeft = turnsToSettle;
    this.#startMs = this.#deps.clock.monotonic();
    this.#deps.clock.soon(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    this.#turnsLeft--;
    if (this.#turnsLeft > 0) {
      this.#deps.clock.soon(this.#onTurn);
      return;
    }
    const { clock, sleep } = this.#deps;
    const intervalMs = this.#intervalMs();
    const isDense = this.#startMs - this.#endMs < intervalMs;
    const leftMs = this.#startMs + intervalMs - clock.monotonic();
    if (isDense && !this.#isBusy && leftMs >= minSleepMs) sleep(leftMs);
    this.#isBusy = false;
    this.#endMs = clock.monotonic();
  };
}

/** Stops the thread, and everything that runs in it. */
export function blockThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
