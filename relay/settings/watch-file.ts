import { readFile } from "node:fs/promises";
import { unwatchFile, watchFile } from "node:fs";
import type { Log } from "../../lib/process/log.ts";

/** A mounted ConfigMap is a symbolic link that is swapped: only looking at what it leads to is reliable there. */
const lookEveryMs = 1_000;

/** Reports the text of a file now and after each change; undefined while there is no such file. */
export async function watchSettingsFile(
  path: string,
  onText: (text: string | undefined) => void,
  log: Log,
): Promise<Disposable> {
  const read = async () => {
    try {
      onText(await readFile(path, "utf8"));
    } catch (error) {
      log.warn("Cannot read the settings file", { path, error });
      onText(undefined);
    }
  };
  await read();
  const listener = () => void read();
  watchFile(path, { interval: lookEveryMs, persistent: false }, listener);
  return {
    [Symbol.dispose]: () => unwatchFile(path, listener),
  };
}
