import type { Clock } from "../../lib/process/clock.ts";
import type { ChunkWriter } from "../sinks/chunk-writer.ts";

const lookAgainMs = 50;

export interface FencedWriterDeps {
  readonly clock: Clock;
  /** Asked at the last moment. */
  readonly mayWrite: () => boolean;
  /** Told when there is nothing left to write to. */
  readonly onClosed: () => void;
}

/**
 * Writes a chunk only during a turn, and only while `mayWrite` says so, and holds it otherwise: nothing is printed out of turn
 * even if the event loop stood still and nobody has been told that the turn is over.
 */
export class FencedWriter implements ChunkWriter {
  readonly #writer: ChunkWriter;
  readonly #deps: FencedWriterDeps;
  #isTurn = false;
  #held: Parameters<ChunkWriter["write"]> | undefined;
  #cancel = () => {};

  constructor(writer: ChunkWriter, deps: FencedWriterDeps) {
    this.#writer = writer;
    this.#deps = deps;
  }

  /** A turn begins or ends. */
  setTurn(isTurn: boolean): void {
    this.#isTurn = isTurn;
    this.#cancel();
    if (isTurn) this.#release();
  }

  write(...[chunk, done]: Parameters<ChunkWriter["write"]>): void {
    this.#held = [
      chunk,
      (result) => {
        done(result);
        if (result.kind === "closed") this.#deps.onClosed();
      },
    ];
    this.#release();
  }

  close(): void {
    this.#cancel();
    this.#held = undefined;
    this.#writer.close();
  }

  #release(): void {
    if (!this.#isTurn || this.#held === undefined) return;
    if (this.#deps.mayWrite()) {
      const [chunk, done] = this.#held;
      this.#held = undefined;
      this.#writer.write(chunk, done);
    } else {
      // The turn may go on: an answer that prolongs it can be waiting behind this.
      this.#cancel = this.#deps.clock.after(lookAgainMs, () => this.#release());
    }
  }
}
