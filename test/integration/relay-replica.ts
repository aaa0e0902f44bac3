import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { findMark } from "../../hack/agents/mark.ts";
import { waitUntil } from "./relay-harness.ts";

/** A line that a relay printed. */
export interface PrintedLine {
  /** Of the event: unique among those of all agents. */
  readonly key: string;
  readonly atMs: number;
}

/** A relay in a process of its own. */
export interface RelayReplica extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly lines: readonly PrintedLine[];
  /** What it said on stderr. */
  readonly log: readonly LogLine[];
  statusz(): Promise<Readonly<Record<string, unknown>>>;
  until(message: string): Promise<LogLine>;
  /** Resolves with the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export type LogLine = Readonly<Record<string, unknown>> & { readonly message: string };

const program = new URL("../../relay/main.ts", import.meta.url).pathname;

export async function startReplica(
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<RelayReplica> {
  const child = spawn(process.execPath, [program, "-gRPCPort=0", "--httpPort=0", ...flags], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  const lines: PrintedLine[] = [];
  const log: LogLine[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { agent, epoch, feed, number } = findMark(line) ?? {};
    lines.push({ key: `${agent}/${epoch}/${feed}/${number}`, atMs: performance.now() });
  });
  createInterface({ input: child.stderr }).on("line", (line) => log.push(JSON.parse(line) as LogLine));
  const until = async (message: string) => {
    const isThere = (line: LogLine) => line.message.startsWith(message);
    await waitUntil(() => log.some(isThere) || child.exitCode !== null);
    const found = log.find(isThere);
    if (found === undefined) throw new Error(`The relay ended without saying "${message}": ${JSON.stringify(log)}`);
    return found;
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
    return child.exitCode;
  };
  const { httpPort } = await until("Relay is listening");
  return {
    process: child,
    lines,
    log,
    until,
    end,
    async statusz() {
      const response = await fetch(`http://127.0.0.1:${String(httpPort)}/statusz`);
      return (await response.json()) as Readonly<Record<string, unknown>>;
    },
    async [Symbol.asyncDispose]() {
      await end("SIGKILL");
    },
  };
}
