import { unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import { type Clock, delay } from "../../lib/process/clock.ts";
import type { Log } from "../../lib/process/log.ts";
import type { SettingsText } from "./live-settings.ts";

export interface WatchFileDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** A mounted ConfigMap is a symbolic link that is swapped: only looking at what it leads to is reliable there. Default 1 s. */
  readonly lookEveryMs?: number;
}

/** A changed file counts when it reads the same twice, this long apart: the first look may catch it half-written. */
const settleMs = 200;

/** Reports the text of a file now and after each change, or why there is none. */
export async function watchSettingsFile(
  path: string,
  onRead: (read: SettingsText) => void,
  deps: WatchFileDeps,
): Promise<Disposable> {
  const watch = new FileWatch(path, onRead, deps);
  await watch.begin();
  return watch;
}

class FileWatch implements Disposable {
  readonly #path: string;
  readonly #onRead: (read: SettingsText) => void;
  readonly #deps: Required<WatchFileDeps>;
  readonly #ended = new AbortController();
  #changes = 0;
  #reported: SettingsText | undefined;

  constructor(path: string, onRead: (read: SettingsText) => void, deps: WatchFileDeps) {
    this.#path = path;
    this.#onRead = onRead;
    this.#deps = { lookEveryMs: 1_000, ...deps };
  }

  async begin(): Promise<void> {
    // Before the first look, so that no change falls between the two.
    watchFile(this.#path, { interval: this.#deps.lookEveryMs, persistent: false }, this.#onChange);
    this.#report(await readText(this.#path));
    if (this.#changes === 0) this.#look(0, false);
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
    unwatchFile(this.#path, this.#onChange);
  }

  readonly #onChange = () => this.#look(++this.#changes, true);

  #look(change: number, hasChanged: boolean): void {
    this.#follow(change, hasChanged).catch(() => {
      // Only the end of all looking breaks a wait off.
    });
  }

  /** A change that comes meanwhile looks for itself. */
  async #follow(change: number, hasChanged: boolean): Promise<void> {
    const { clock, lookEveryMs } = this.#deps;
    for (let isFirst = hasChanged; ; isFirst = false) {
      if (!isFirst) {
        // What cannot be read says nothing of a change: it is tried again.
        if (this.#reported?.kind !== "failed") return;
        await delay(clock, lookEveryMs, this.#ended.signal);
      }
      const read = await this.#readSettled();
      if (change !== this.#changes) return;
      this.#report(read);
    }
  }

  async #readSettled(): Promise<SettingsText> {
    for (let read = await readText(this.#path); ; ) {
      await delay(this.#deps.clock, settleMs, this.#ended.signal);
      const again = await readText(this.#path);
      if (isSame(read, again)) return again;
      read = again;
    }
  }

  #report(read: SettingsText): void {
    if (this.#ended.signal.aborted || (this.#reported !== undefined && isSame(read, this.#reported))) return;
    this.#reported = read;
    if (read.kind === "gone") this.#deps.log.warn("There is no settings file", { path: this.#path });
    this.#onRead(read);
  }
}

async function readText(path: string): Promise<SettingsText> {
  try {
    return { kind: "text", text: await readFile(path, "utf8") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { kind: "gone" };
    return { kind: "failed", error: new Error(`Cannot read "${path}"`, { cause: error }) };
  }
}

function isSame(a: SettingsText, b: SettingsText): boolean {
  return a.kind === "text" ? b.kind === "text" && a.text === b.text : a.kind === b.kind;
}
