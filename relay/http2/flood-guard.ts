import type { Clock } from "../../lib/process/clock.ts";
import { ConnectionError } from "./errors.ts";
import { type Rate, TokenBucket } from "../../lib/process/token-bucket.ts";

/**
 * Frames that bring no content. An honest agent sends about ten a second; one whose three streams all end on every event
 * they begin with, and are opened again 40 times a second, sends 240.
 */
const frameRate: Rate = { burst: 1_000, perSecond: 300 };

/** Each byte costs as much to decode as a hundred bytes of events. A response of an agent has some hundred of them. */
const headerByteRate: Rate = { burst: 256 * 1024, perSecond: 64 * 1024 };

/** What a header block for nobody counts as: it has to be decoded, and an honest agent has one under way now and then. */
export const strayBlockFrames = 10;

/** What a list of more header fields than is taken counts as. */
export const oversizeListFrames = 100;

/**
 * Bounds what a peer can make us do with frames that bring nothing: their bytes are few, so what bounds the reading of
 * content does not bound them, and one such peer would take the event loop from all others.
 */
export class FloodGuard {
  readonly #frames: TokenBucket;
  readonly #headerBytes: TokenBucket;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#frames = new TokenBucket(frameRate, clock);
    this.#headerBytes = new TokenBucket(headerByteRate, clock);
  }

  /** A frame without content came, or something that is as bad as `count` of them. @throws {ConnectionError} when it is one too many */
  takeFrames(count = 1): void {
    if (!this.#frames.take(count)) throw tooMany("frames without content", frameRate);
  }

  /** Bytes of header blocks came. @throws {ConnectionError} when they are too many */
  takeHeaderBytes(bytes: number): void {
    if (!this.#headerBytes.take(bytes)) throw tooMany("bytes of header blocks", headerByteRate);
  }
}

function tooMany(what: string, { burst, perSecond }: Rate): ConnectionError {
  return new ConnectionError("ENHANCE_YOUR_CALM", `More than ${burst} ${what} at once, or ${perSecond} a second`);
}
