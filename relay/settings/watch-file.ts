import { unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import { type Clock, delay } from "../../lib/process/clock.ts";
import type { Log } from "../../lib/process/log.ts";

export interface WatchFileDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** A mounted ConfigMap is a symbolic link that is swapped: only looking at what it leads to is reliable there. Default 1 s. */
  readonly lookEveryMs?: number;
}

/** A changed file counts when it reads the same twice, this long apart: the first look may catch it half-written. */
const settleMs = 200;

/** Reports the text of a file now and after each change; undefined while there is no such file. */
export async function watchSettingsFile(
  path: string,
  onText: (text: string | undefined) => void,
  { clock, log, lookEveryMs = 1_000 }: WatchFileDeps,
): Promise<Disposable> {
  const ended = new AbortController();
  const report = (read: ReadResult) => {
    if (ended.signal.aborted) return;
    if (read.kind === "failed") log.warn("Cannot read the settings file", { path, error: read.error });
    onText(read.kind === "text" ? read.text : undefined);
  };
  let changes = 0;
  const onChange = async () => {
    const change = ++changes;
    let read: ReadResult;
    let again = await readText(path);
    do {
      read = again;
      await delay(clock, settleMs, ended.signal);
      again = await readText(path);
      // A change that came meanwhile looks for itself.
      if (change !== changes) return;
    } while (!isSame(read, again));
    report(read);
  };
  const listener = () => {
    onChange().catch(() => {
      // Only the end of all looking breaks the wait off.
    });
  };
  // Before the first look, so that no change falls between the two.
  watchFile(path, { interval: lookEveryMs, persistent: false }, listener);
  report(await readText(path));
  return {
    [Symbol.dispose]: () => {
      ended.abort();
      unwatchFile(path, listener);
    },
  };
}

type ReadResult = { readonly kind: "text"; readonly text: string } | { readonly kind: "failed"; readonly error: Error };

async function readText(path: string): Promise<ReadResult> {
  try {
    return { kind: "text", text: await readFile(path, "utf8") };
  } catch (error) {
    return { kind: "failed", error: error as Error };
  }
}

function isSame(a: ReadResult, b: ReadResult): boolean {
  return a.kind === "text" ? b.kind === "text" && a.text === b.text : b.kind === "failed";
}
