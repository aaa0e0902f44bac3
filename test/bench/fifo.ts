import { execFile } from "node:child_process";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

/** A named pipe: what a container's stdout is to a container runtime. */
export interface Fifo extends AsyncDisposable {
  readonly path: string;
  /** Of this process, for a child to inherit. */
  readonly fd: number;
}

export async function makeFifo(): Promise<Fifo> {
  const folder = await mkdtemp(path.join(tmpdir(), "bench-stdout-"));
  const file = path.join(folder, "stdout");
  await promisify(execFile)("mkfifo", [file]);
  // For reading, too: opening it for one of the two would wait for the other end.
  const handle = await open(file, "r+");
  return {
    path: file,
    fd: handle.fd,
    async [Symbol.asyncDispose]() {
      await handle.close();
      await rm(folder, { recursive: true });
    },
  };
}
