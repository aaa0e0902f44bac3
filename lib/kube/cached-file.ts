import { readFile } from "node:fs/promises";
import type { Clock } from "../process/clock.ts";

/** As client-go: a projected token lives for at least ten minutes after the kubelet has replaced it. */
const maxAgeMs = 60_000;

export interface CachedFile {
  /** The text without surrounding blanks; `fresh` reads the disk whatever the age. */
  read(fresh: boolean): Promise<string>;
}

/** A small file that others rotate. Trimmed, because a newline at the end of a token makes an illegal header. */
export function cachedFile(path: string, clock: Clock): CachedFile {
  let known: { readonly text: string; readonly atMs: number } | undefined;
  return {
    async read(fresh) {
      if (!fresh && known !== undefined && clock.monotonic() - known.atMs < maxAgeMs) return known.text;
      const atMs = clock.monotonic();
      try {
        known = { text: (await readFile(path, "utf8")).trim(), atMs };
      } catch (cause) {
        throw new Error(`Cannot read the credentials file "${path}"`, { cause });
      }
      return known.text;
    },
  };
}
