import type { Clock } from "../../lib/process/clock.ts";

/** Pings closer together than this are strikes. Upstream wants 5 minutes and so cuts clients that keep NATs open. */
const minIntervalMs = 5_000;
const maxStrikes = 2;

/**
 * Tells a flood of PINGs from the ordinary ones. Those of clients that measure their bandwidth come as fast as data does,
 * so a ping is held against a client only if nothing was sent to it since the one before.
 */
export class PingGuard {
  readonly #clock: Clock;
  #strikes = 0;
  #lastAtMs = Number.NEGATIVE_INFINITY;
  #sentBefore = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * A PING came.
   * @param sentBytes what the connection has sent so far, without the answers to pings
   * @returns whether to close the connection
   */
  isFlood(sentBytes: number): boolean {
    const nowMs = this.#clock.monotonic();
    if (sentBytes > this.#sentBefore) this.#strikes = 0;
    else if (nowMs - this.#lastAtMs < minIntervalMs) this.#strikes += 1;
    // Answers are counted before they are sent, so the number may fall for a while.
    this.#sentBefore = Math.max(sentBytes, this.#sentBefore);
    this.#lastAtMs = nowMs;
    return this.#strikes > maxStrikes;
  }
}
