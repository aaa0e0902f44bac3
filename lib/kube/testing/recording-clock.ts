import { FakeClock } from "../../process/fake-clock.ts";

/** A fake clock that tells which delays were asked for, and waits until one is. */
export class RecordingClock extends FakeClock {
  readonly delays: number[] = [];

  override after(delayMs: number, callback: () => void): () => void {
    this.delays.push(delayMs);
    return super.after(delayMs, callback);
  }

  /** Resolves when a timer with this delay has been set, now or before. */
  asked(delayMs: number): Promise<void> {
    return turnsUntil(() => this.delays.includes(delayMs));
  }
}

/** Lets the event loop turn until the condition holds. */
export async function turnsUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets everything that needs no time and no network come to rest. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
