import { constants, fstatSync, openSync, type Stats } from "node:fs";
import type { ChunkWriter } from "./chunk-writer.ts";
import { FdWriter, type FdWriterDeps } from "./fd-writer.ts";
import { PipeWriter } from "./pipe-writer.ts";

const stderr = 2;

/**
 * The best way to write to an inherited file descriptor. A pipe is opened anew, because being non-blocking belongs to
 * the open file and not to the descriptor: whoever else writes to the pipe must not find theirs changed, nor change ours.
 * Where that is refused, or for a socket, the descriptor itself becomes non-blocking, unless stderr is the same:
 * diagnostics are written synchronously and would make it blocking again.
 */
export function openWriter(fd: number, deps: FdWriterDeps): ChunkWriter {
  const stats = fstatSync(fd);
  const own = stats.isFIFO() ? reopen(fd) : undefined;
  if (own !== undefined) return new PipeWriter(own);
  if ((stats.isFIFO() || stats.isSocket()) && !isSame(stats, fstatSync(stderr))) return new PipeWriter(fd);
  return new FdWriter({ fd }, deps);
}

/** Undefined where it cannot be done: no /proc, or the pipe belongs to another user. */
function reopen(fd: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    // Every reason leads to the same: the descriptor that is there has to do.
    return undefined;
  }
}

function isSame(a: Stats, b: Stats): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}
