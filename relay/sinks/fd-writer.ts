import { write as fsWrite } from "node:fs";
import type { Clock } from "../../lib/process/clock.ts";
import type { Log } from "../../lib/process/log.ts";
import type { ChunkWriter, WriteResult } from "./chunk-writer.ts";

/** The part of `fs.write` that is used. */
export type WriteFunction = (
  fd: number,
  bytes: Buffer,
  offset: number,
  length: number,
  position: null,
  callback: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void;

export interface FdWriterOptions {
  readonly fd: number;
}

export interface FdWriterDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly write?: WriteFunction;
}

const firstRetryMs = 1;
const maxRetryMs = 1000;
// The reader is gone, or the descriptor is: no later write will do better.
const finalCodes: ReadonlySet<string | undefined> = new Set(["EPIPE", "EBADF"]);

/**
 * Writes to any file descriptor by `fs.write`. A blocking one holds one thread of libuv's pool while its reader is stuck,
 * and a process cannot exit before that thread is back: pipes and sockets are better served by `PipeWriter`.
 */
export class FdWriter implements ChunkWriter {
  readonly #fd: number;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #write: WriteFunction;
  #closed = false;
  #cancelRetry = () => {};

  constructor(options: FdWriterOptions, deps: FdWriterDeps) {
    this.#fd = options.fd;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#write = deps.write ?? fsWrite;
  }

  write(chunk: Buffer, done: (result: WriteResult) => void): void {
    this.#writeFrom(chunk, 0, firstRetryMs, done);
  }

  close(): void {
    this.#closed = true;
    this.#cancelRetry();
  }

  #writeFrom(chunk: Buffer, offset: number, retryMs: number, done: (result: WriteResult) => void): void {
    this.#write(this.#fd, chunk, offset, chunk.length - offset, null, (error, written) => {
      if (this.#closed) return;
      if (error === null && offset + written === chunk.length) {
        done({ kind: "written" });
      } else if (error === null && written > 0) {
        this.#writeFrom(chunk, offset + written, firstRetryMs, done);
      } else if (finalCodes.has(error?.code)) {
        this.#closed = true;
        done({ kind: "closed", error: new Error(`Cannot write to file descriptor ${this.#fd}`, { cause: error }) });
      } else {
        // A non-blocking descriptor says EAGAIN while its reader is slow; anything else, a full disk say, may heal.
        if (error !== null && error.code !== "EAGAIN" && retryMs === firstRetryMs) {
          this.#log.warn("Cannot write to file descriptor: trying again", { fd: this.#fd, error });
        }
        const nextMs = Math.min(retryMs * 2, maxRetryMs);
        this.#cancelRetry = this.#clock.after(retryMs, () => this.#writeFrom(chunk, offset, nextMs, done));
      }
    });
  }
}
