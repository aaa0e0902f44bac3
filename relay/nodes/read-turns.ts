import type { Clock } from "../../lib/process/clock.ts";

export interface ReadTurnsOptions {
  /** What reads that left something to read may bring in one turn of the event loop. At least one always may. */
  readonly maxBytes: number;
}

interface Waiting {
  /** What its last read brought, and so what the next one will. */
  readonly bytes: number;
  readonly resume: () => void;
}

/**
 * Divides the event loop between reading and all else. libuv reads a ready socket up to 32 times before it looks at the
 * next, and writes go out once a turn: a few agents that send as fast as they can would have nearly all of a core for
 * events that are then dropped because nobody came to deliver them. When a turn has brought its share, every socket that
 * has more waits in line. One that was emptied is not concerned, so that an ordinary load never waits.
 */
export class ReadTurns {
  readonly #maxBytes: number;
  readonly #clock: Pick<Clock, "soon">;
  #takenBytes = 0;
  /** Whoever has waited longest comes first. */
  readonly #line: Waiting[] = [];
  #isEndDue = false;

  constructor({ maxBytes }: ReadTurnsOptions, clock: Pick<Clock, "soon">) {
    this.#maxBytes = maxBytes;
    this.#clock = clock;
  }

  /** Told of a read that left something to read. Returns whether to go on; if not, `resume` is called when it is time. */
  mayReadOn(bytes: number, resume: () => void): boolean {
    this.#takenBytes += bytes;
    this.#awaitEnd();
    if (this.#takenBytes < this.#maxBytes && this.#line.length === 0) return true;
    this.#line.push({ bytes, resume });
    return false;
  }

  #awaitEnd(): void {
    if (this.#isEndDue) return;
    this.#isEndDue = true;
    this.#clock.soon(this.#end);
  }

  readonly #end = (): void => {
    this.#isEndDue = false;
    this.#takenBytes = 0;
    for (let leftBytes = this.#maxBytes; leftBytes > 0; ) {
      const next = this.#line.shift();
      if (next === undefined) return;
      leftBytes -= next.bytes;
      next.resume();
    }
    if (this.#line.length > 0) this.#awaitEnd();
  };
}
