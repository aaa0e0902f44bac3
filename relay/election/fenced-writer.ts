import type { Clock } from "../../lib/process/clock.ts";
import type { ChunkWriter } from "../sinks/chunk-writer.ts";

const lookAgainMs = 50;

/**
 * Writes a chunk only while `mayWrite` says so and holds it otherwise: it is asked at the last moment, so that nothing is
 * printed out of turn even if the event loop stood still and nobody has been told that the turn is over.
 */
export class FencedWriter implements ChunkWriter {
  readonly #writer: ChunkWriter;
  readonly #clock: Clock;
  readonly #mayWrite: () => boolean;
  #cancel = () => {};

  constructor(writer: ChunkWriter, clock: Clock, mayWrite: () => boolean) {
    this.#writer = writer;
    this.#clock = clock;
    this.#mayWrite = mayWrite;
  }

  write(...[chunk, done]: Parameters<ChunkWriter["write"]>): void {
    if (this.#mayWrite()) this.#writer.write(chunk, done);
    else this.#cancel = this.#clock.after(lookAgainMs, () => this.write(chunk, done));
  }

  close(): void {
    this.#cancel();
    this.#writer.close();
  }
}
