import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { childEnv } from "./config.ts";
import { identify, type ProcessIdentity } from "./processes.ts";

export interface TetherOptions {
  /** Folder of the testbed's programs. */
  readonly bin: string;
  readonly command: readonly string[];
  /** stdout and stderr of the command, appended. */
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Removed at the end, however it comes. */
  readonly removeDir?: string;
  /** A shell command to run at the end, however it comes. */
  readonly after?: string;
  /** A file that gets the process id of the command. */
  readonly pidFile?: string;
  /** Run the command as the first process of new pid, mount and network namespaces. Linux and root only. */
  readonly namespaces?: boolean;
  /** Let it go on when this process ends; SIGTERM to `pid` then ends it. */
  readonly detached?: boolean;
}

/** A program that ends when it is disposed of, or when this process ends, be it by SIGKILL. */
export interface Tethered extends AsyncDisposable {
  /** Of the process that holds the program, and ends it when it is ended itself. */
  readonly identity: ProcessIdentity;
  /** Resolves with the status when the program has ended, by itself or not. */
  readonly ended: Promise<number>;
  /** Waits for `ready` to hold. @throws with the end of the log when the program ends first, or after `timeoutMs` */
  waitUntil(ready: () => boolean, timeoutMs: number): Promise<void>;
}

const POLL_MS = 25;

export async function startTethered(options: TetherOptions): Promise<Tethered> {
  const log = openSync(options.logFile, "a");
  const detached = options.detached === true;
  // A session of its own: Ctrl-C in a terminal is for us, who then end the program in order.
  const child = spawn(join(options.bin, "tether"), [...flags(options), "--", ...options.command], {
    stdio: [detached ? "ignore" : "pipe", log, log],
    detached: true,
    env: childEnv(options.env ?? {}),
  });
  if (detached) child.unref();
  const ended = settle(child);
  await once(child, "spawn").finally(() => closeSync(log));
  const identity = identify(child.pid ?? 0);
  if (identity === undefined)
    throw new Error(`Cannot start ${options.command[0]}: it ended at once\n${tail(options.logFile)}`);
  let status: number | undefined;
  const tracked = ended.then((value) => (status = value));
  // The pipe is closed under the program when it ends by itself.
  child.stdin?.on("error", () => {});
  return {
    identity,
    ended: tracked,
    async waitUntil(ready, timeoutMs) {
      const deadlineMs = performance.now() + timeoutMs;
      while (!ready()) {
        const name = options.command[0];
        if (status !== undefined)
          throw new Error(`Cannot start ${name}: it ended with status ${status}\n${tail(options.logFile)}`);
        if (performance.now() > deadlineMs) {
          throw new Error(`Cannot start ${name}: not ready after ${timeoutMs} ms\n${tail(options.logFile)}`);
        }
        await pause(POLL_MS);
      }
    },
    async [Symbol.asyncDispose]() {
      if (detached) child.kill("SIGTERM");
      else child.stdin?.end();
      await tracked;
    },
  };
}

function flags(options: TetherOptions): string[] {
  return [
    ...(options.removeDir === undefined ? [] : ["--remove", options.removeDir]),
    ...(options.after === undefined ? [] : ["--after", options.after]),
    ...(options.pidFile === undefined ? [] : ["--pid-file", options.pidFile]),
    ...(options.namespaces === true ? ["--namespaces"] : []),
    ...(options.detached === true ? ["--loose"] : []),
  ];
}

function settle(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once("exit", (code) => resolve(code ?? -1));
    child.once("error", () => resolve(-1));
  });
}

/** The end of a log file, for an error message. */
export function tail(path: string): string {
  try {
    return readFileSync(path, "utf8").trim().split("\n").slice(-15).join("\n");
  } catch (error) {
    return `(no log: ${(error as Error).message})`;
  }
}
