import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import type { Environment } from "./child.ts";

const run = promisify(execFile);
const source = path.join(import.meta.dirname, "load");

/**
 * Compiles the load program, once for each version of its sources and of Go, and returns the path of the binary.
 * Two benches that start together build twice and lose nothing: the last rename wins, both files are the same.
 */
export async function buildLoad(cache: string, env: Environment, signal: AbortSignal): Promise<string> {
  const folder = path.join(cache, "bench-load", await version(env, signal));
  const binary = path.join(folder, "load");
  if (await exists(binary)) return binary;
  await mkdir(folder, { recursive: true });
  const fresh = `${binary}.${process.pid}`;
  try {
    await run("go", ["build", "-trimpath", "-ldflags=-s -w", "-o", fresh, "."], {
      cwd: source,
      env: { ...env, CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false" },
      signal,
    });
    await rename(fresh, binary);
  } finally {
    await rm(fresh, { force: true });
  }
  return binary;
}

async function version(env: Environment, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  try {
    hash.update((await run("go", ["version"], { env, signal })).stdout);
  } catch (cause) {
    throw new Error("Cannot build the bench's load program: Go 1.24 or newer is wanted in PATH", { cause });
  }
  for (const file of (await readdir(source)).toSorted()) {
    hash.update(file).update(await readFile(path.join(source, file)));
  }
  return hash.digest("hex").slice(0, 16);
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
