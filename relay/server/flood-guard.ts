import type { Clock } from "../../lib/process/clock.ts";

/** How much of something a connection may do: so much at once, and so much a second in the long run. */
export interface FloodLimit {
  readonly burst: number;
  readonly perSecond: number;
}

/**
 * Streams that ended by a reset, of either side: a client can make the server reset them, too (CVE-2023-44487 and
 * CVE-2025-8671). Every subscriber of a connection may cancel and come back a few times over.
 */
export const resetLimit: FloodLimit = { burst: 500, perSecond: 50 };
/** Some clients follow the bandwidth with their window and say so in SETTINGS, a few times in a connection's first second. */
export const settingsLimit: FloodLimit = { burst: 100, perSecond: 10 };
/**
 * Bytes beyond those that answer what the client was sent (see `receivedShare`): requests, and frames of no use such as
 * WINDOW_UPDATE and PRIORITY, which nothing else counts. Four requests of the largest size at once.
 */
export const receivedLimit: FloodLimit = { burst: 16 * 1024 * 1024, perSecond: 1024 * 1024 };
/** Of every byte sent: two window updates of 13 bytes for as little as 208 bytes. */
export const receivedShare = 1 / 8;

/** Tells a flood from ordinary use. */
export class FloodGuard {
  readonly #limit: FloodLimit;
  readonly #clock: Clock;
  #left: number;
  #filledMs: number;

  constructor(limit: FloodLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
    this.#left = limit.burst;
    this.#filledMs = clock.monotonic();
  }

  /** That much more was done. @returns whether to close the connection */
  isFlood(amount = 1): boolean {
    const nowMs = this.#clock.monotonic();
    const refilled = this.#left + ((nowMs - this.#filledMs) / 1000) * this.#limit.perSecond;
    this.#left = Math.min(this.#limit.burst, refilled) - amount;
    this.#filledMs = nowMs;
    return this.#left < 0;
  }
}
