import { Socket } from "node:net";
import type { ChunkWriter, WriteResult } from "./chunk-writer.ts";

/**
 * Writes to a pipe or a socket that it makes non-blocking: a stuck reader costs no thread and does not keep the process
 * from exiting.
 */
export class PipeWriter implements ChunkWriter {
  readonly #fd: number;
  readonly #socket: Socket;
  #closed = false;

  /** Takes over `fd`, except that 0, 1 and 2 stay open when this is closed. */
  constructor(fd: number) {
    this.#fd = fd;
    this.#socket = new Socket({ fd, readable: false, writable: true });
    // The callback of the write that fails tells it; without a listener it would end the process.
    this.#socket.on("error", () => {});
  }

  write(chunk: Buffer, done: (result: WriteResult) => void): void {
    this.#socket.write(chunk, (cause) => {
      if (this.#closed) return;
      if (cause === undefined || cause === null) {
        done({ kind: "written" });
        return;
      }
      this.close();
      done({ kind: "closed", error: new Error(`Cannot write to file descriptor ${this.#fd}`, { cause }) });
    });
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }
}
