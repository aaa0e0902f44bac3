import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { ProcessIdentity } from "./processes.ts";

export interface LockDeps {
  readonly self: ProcessIdentity;
  isAlive(owner: ProcessIdentity): boolean;
  pause(ms: number): Promise<void>;
  /** Called once for each live owner waited for. */
  onWait(owner: ProcessIdentity): void;
  /** Called when the lock of a dead process is taken over. */
  onStale(owner: ProcessIdentity): void;
}

const POLL_MS = 250;

/**
 * Runs `work` while holding the lock file `path`.
 * The lock saves double work, it does not carry correctness: what it guards is also published by an atomic rename.
 */
export async function withLock<T>(path: string, deps: LockDeps, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  let waitedFor: number | undefined;
  while (!take(path, deps.self)) {
    const owner = readOwner(path);
    if (owner === undefined) continue;
    if (!deps.isAlive(owner)) {
      if (evict(path, owner)) deps.onStale(owner);
      continue;
    }
    if (waitedFor !== owner.pid) deps.onWait(owner);
    waitedFor = owner.pid;
    await deps.pause(POLL_MS);
  }
  try {
    return await work();
  } finally {
    if (isSame(readOwner(path), deps.self)) rmSync(path, { force: true });
  }
}

/** A hard link appears with its content or not at all: nobody ever reads a half-written owner. */
function take(path: string, self: ProcessIdentity): boolean {
  const draft = `${path}.${self.pid}.draft`;
  writeFileSync(draft, JSON.stringify(self));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Moves a dead owner's lock away; when a live one got in between, its lock is put back. */
function evict(path: string, dead: ProcessIdentity): boolean {
  const moved = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, moved);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  const evicted = isSame(readOwner(moved), dead);
  try {
    if (!evicted) linkSync(moved, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(moved, { force: true });
  }
  return evicted;
}

function readOwner(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as ProcessIdentity;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`Cannot read the lock ${path}: remove it by hand if no build runs`, { cause: error });
  }
}

function isSame(a: ProcessIdentity | undefined, b: ProcessIdentity): boolean {
  return a !== undefined && a.pid === b.pid && a.started === b.started;
}
