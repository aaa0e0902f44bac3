import type { Clock } from "../../lib/process/clock.ts";

/** A socket that brought nothing for so long after a read that emptied it was sent nothing more: a round trip in a cluster, and more. */
const quietMs = 2;
/** Nothing is held for much longer: agents wait for five seconds for an answer to their pings. */
const maxHeldMs = 500;
/** A loop that stood still for longer than that must still come to read before it writes. */
const minLooks = 10;

/**
 * Holds back what there is to say to an agent of which there is more to read. An agent that is gone answers a write with a
 * reset, upon which its kernel drops what it has not sent yet, and Node the socket with all that ours has not handed on:
 * the agent's last events. So what was sent is read first, beginning with a read that filled its buffer.
 *
 * A socket that such a read happened to empty brings no read that says so, while its agent may be waiting for the very
 * update of a window that is held: hence the bound.
 */
export class HeldWrites {
  readonly #write: (bytes: Buffer) => number;
  readonly #clock: Pick<Clock, "after" | "monotonic" | "soon">;
  #isHolding = false;
  /** Whether the last read left something to read. */
  #hasMore = false;
  /** Whether anything was read since the last look. */
  #hasRead = false;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #cancelLook: () => void = () => {};

  /** @param write returns how many bytes wait because the agent has not taken them */
  constructor(write: (bytes: Buffer) => number, clock: Pick<Clock, "after" | "monotonic" | "soon">) {
    this.#write = write;
    this.#clock = clock;
  }

  /** Told of every read before it is dealt with, and whether there is more to read. */
  onRead(hasMore: boolean): void {
    this.#hasRead = true;
    this.#hasMore = hasMore;
    this.#isHolding ||= hasMore;
  }

  /** Writes, now or later, and returns how many bytes wait to be taken. */
  write(bytes: Buffer): number {
    if (!this.#isHolding) return this.#write(bytes);
    if (this.#heldBytes === 0) this.#lookLater(this.#clock.monotonic(), 1);
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    return this.#heldBytes;
  }

  /** Writes what is held. */
  release(): void {
    this.#isHolding = false;
    if (this.#heldBytes === 0) return;
    this.#cancelLook();
    const bytes = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    this.#write(bytes);
  }

  #lookLater(sinceMs: number, ordinal: number): void {
    this.#hasRead = false;
    this.#cancelLook = this.#clock.after(quietMs, () => {
      // Timers of a loop that stood still come before its reads.
      this.#clock.soon(() => {
        // Released meanwhile.
        if (this.#heldBytes === 0) return;
        const isQuiet = !this.#hasRead && !this.#hasMore;
        const isLong = this.#clock.monotonic() - sinceMs >= maxHeldMs && ordinal >= minLooks;
        if (isQuiet || isLong) this.release();
        else this.#lookLater(sinceMs, ordinal + 1);
      });
    });
  }
}
