import type { Clock } from "../../lib/process/clock.ts";

/** Calls back once when nothing was heard for too long. */
export class SilenceWatch implements Disposable {
  readonly #silenceMs: number;
  readonly #clock: Clock;
  readonly #onSilence: (silentMs: number) => void;
  #heardMs: number;
  #cancel: () => void;

  constructor(silenceMs: number, clock: Clock, onSilence: (silentMs: number) => void) {
    this.#silenceMs = silenceMs;
    this.#clock = clock;
    this.#onSilence = onSilence;
    this.#heardMs = clock.monotonic();
    this.#cancel = clock.after(silenceMs, () => this.#look());
  }

  /** Costs an assignment, no timer: it is called for every piece of data. */
  heard(): void {
    this.#heardMs = this.#clock.monotonic();
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }

  #look(): void {
    const silentMs = this.#clock.monotonic() - this.#heardMs;
    if (silentMs >= this.#silenceMs) this.#onSilence(silentMs);
    else this.#cancel = this.#clock.after(this.#silenceMs - silentMs, () => this.#look());
  }
}
