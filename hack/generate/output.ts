import { readFile, writeFile } from "node:fs/promises";

export interface GeneratedFile {
  readonly path: URL;
  readonly text: string;
}

/**
 * Writes what differs, or with `--check` among the arguments only names it.
 * @returns 1 when a check found a difference, 0 otherwise: the exit status.
 */
export async function writeGenerated(files: readonly GeneratedFile[], argv: readonly string[]): Promise<number> {
  const check = argv.includes("--check");
  let status = 0;
  for (const { path, text } of files) {
    if ((await readFile(path, "utf8").catch(absent)) === text) continue;
    if (check) {
      process.stderr.write(`${path.pathname} is not what its source says: run its generator in hack/generate/\n`);
      status = 1;
    } else {
      await writeFile(path, text);
      process.stderr.write(`Wrote ${path.pathname}\n`);
    }
  }
  return status;
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  throw error;
}
