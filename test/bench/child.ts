import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process of a measurement: on its core, and gone with the bench however that ends. */
export interface Child extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Rejects when the process has ended, by itself or disposed of; never resolves. */
  readonly failed: Promise<never>;
}

export type Environment = Readonly<Record<string, string>>;

export interface Placement {
  readonly core: number;
  /** As `nice` takes it. */
  readonly nice: number;
}

export interface ChildOptions {
  readonly name: string;
  readonly command: readonly string[];
  /** undefined = wherever the kernel likes */
  readonly placement?: Placement;
  readonly env: Environment;
  readonly stdin: "pipe" | "ignore";
  /** A number is a file descriptor of this process. */
  readonly stdout: "pipe" | "ignore" | number;
}

function place({ core, nice }: Placement): readonly string[] {
  return ["taskset", "-c", String(core), "nice", "-n", String(nice)];
}

/** With autogroups (sched(7)) `nice` orders the processes of one session only; sessions have a priority of their own. */
function preferSession(pid: number, nice: number): void {
  const file = `/proc/${pid}/autogroup`;
  if (existsSync(file)) writeFileSync(file, String(nice));
}

const graceMs = 5_000;
const keptErrorBytes = 4096;

export function startChild(options: ChildOptions): Child {
  // Each of these programs becomes the next one: the pid is that of the last. The signal covers a bench that is killed.
  const command = [
    "setpriv",
    "--pdeathsig",
    "KILL",
    ...(options.placement === undefined ? [] : place(options.placement)),
    ...options.command,
  ];
  const child = spawn(command[0] ?? "", command.slice(1), {
    stdio: [options.stdin, options.stdout, "pipe"],
    env: options.env,
    // A session of its own: Ctrl-C reaches this program alone, which ends the others in order.
    detached: true,
  });
  if (options.placement !== undefined && options.placement.nice !== 0 && child.pid !== undefined) {
    preferSession(child.pid, options.placement.nice);
  }
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-keptErrorBytes);
  });
  // A process that is gone takes no commands; `failed` says so.
  child.stdin?.on("error", () => {});
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  let wanted = false;
  const failed = new Promise<never>((_resolve, reject) => {
    child.once("error", (cause) => reject(new Error(`Cannot run the ${options.name}`, { cause })));
    child.once("close", (code, signal) => {
      const how = wanted ? "was stopped" : `ended (${signal ?? code}) while it was needed:\n${errors}`;
      reject(new Error(`The ${options.name} ${how}`));
    });
  });
  // Whoever waits for something of the process races with it; nobody waiting is no error.
  failed.catch(() => {});
  return {
    process: child,
    pid: child.pid ?? -1,
    failed,
    async [Symbol.asyncDispose]() {
      wanted = true;
      child.stdin?.end();
      if (options.stdin === "ignore") child.kill("SIGTERM");
      const over = new AbortController();
      const grace = sleep(graceMs, undefined, { signal: over.signal }).then(
        () => child.kill("SIGKILL"),
        () => false, // ended in time
      );
      await ended;
      over.abort();
      await grace;
    },
  };
}
