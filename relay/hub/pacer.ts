import type { Clock } from "../../lib/process/clock.ts";

/**
 * Runs a task soon after it is asked for, but not more often than every `minIntervalMs`: a lone event goes out at once,
 * and under load everything that arrives meanwhile shares one write. At low rates the cost of an event is wake-ups and
 * writes, not bytes.
 */
export class Pacer {
  readonly #minIntervalMs: number;
  readonly #clock: Clock;
  readonly #task: () => void;
  #scheduled = false;
  #lastRunMs = Number.NEGATIVE_INFINITY;

  constructor(options: { readonly minIntervalMs: number }, clock: Clock, task: () => void) {
    this.#minIntervalMs = options.minIntervalMs;
    this.#clock = clock;
    this.#task = task;
  }

  /** Asks for a run; asking again before it came is free. */
  request(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const waitMs = this.#lastRunMs + this.#minIntervalMs - this.#clock.monotonic();
    if (waitMs <= 0) this.#clock.soon(this.#run);
    else this.#clock.after(waitMs, this.#runSoon);
  }

  /** Not before what is ready to be read has been read: it would have to wait for the next run. */
  readonly #runSoon = (): void => this.#clock.soon(this.#run);

  readonly #run = (): void => {
    this.#scheduled = false;
    this.#lastRunMs = this.#clock.monotonic();
    this.#task();
  };
}
