import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type RelayStatus, waitUntil } from "./relay-harness.ts";

/** A line of the relay's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly message: string };

/** A relay in a process of its own, started as a user would. */
export interface RelayProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly grpcPort: number;
  readonly httpPort: number;
  /** host:port of its gRPC server. */
  readonly address: string;
  /** A pipe, as container runtimes make them. Nobody reads it until the test does. */
  readonly stdout: Readable;
  /** What it said on stderr so far; empty when its ports were given, as nobody reads its stderr then. */
  readonly log: readonly LogLine[];
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** The first line of its log with this message. */
  logged(message: string | RegExp): Promise<LogLine>;
  status(): Promise<RelayStatus>;
  statusWhen(isReached: (status: RelayStatus) => boolean): Promise<RelayStatus>;
}

export interface RelayPorts {
  readonly grpcPort: number;
  readonly httpPort: number;
}

export interface RelayProcessOptions {
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Default: free ones, which its log tells. With given ones its stderr is a pipe that nobody reads. */
  readonly ports?: RelayPorts;
}

const program = new URL("../../relay/main.ts", import.meta.url).pathname;

/** Resolves when the relay listens. */
export async function startRelayProcess({ flags, env = {}, ports }: RelayProcessOptions): Promise<RelayProcess> {
  const out = makePipe();
  const err = ports === undefined ? undefined : makePipe();
  const wanted = ports ?? { grpcPort: 0, httpPort: 0 };
  const args = [program, `-gRPCPort=${wanted.grpcPort}`, `--httpPort=${wanted.httpPort}`, ...flags];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", out.writeEnd, err?.writeEnd ?? "pipe"],
    env: { PATH: process.env["PATH"], ...env },
  });
  for (const pipe of [out, err]) if (pipe !== undefined) closeSync(pipe.writeEnd);
  const exited = once(child, "exit").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  const log: LogLine[] = [];
  if (child.stderr !== null) createInterface({ input: child.stderr }).on("line", (line) => log.push(parseLine(line)));
  // "close" follows when its last words have been read.
  let isOver = false;
  child.once("close", () => {
    isOver = true;
  });
  const logged = async (message: string | RegExp) => {
    const find = () =>
      log.find((line) => (typeof message === "string" ? line.message === message : message.test(line.message)));
    await waitUntil(() => find() !== undefined || isOver);
    return find() ?? assert.fail(`The relay ended without "${String(message)}": ${JSON.stringify(log)}`);
  };
  const stdout = new Socket({ fd: out.readEnd, readable: true, writable: false });
  const end = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await exited;
    stdout.destroy();
    if (err !== undefined) closeSync(err.readEnd);
  };
  try {
    const told = ports === undefined ? await logged("Relay is listening") : await untilReady(ports, () => isOver);
    const { grpcPort, httpPort } = told as unknown as RelayPorts;
    const status = async () => {
      const response = await fetch(`http://127.0.0.1:${httpPort}/statusz`);
      return (await response.json()) as RelayStatus;
    };
    return {
      child,
      grpcPort,
      httpPort,
      address: `127.0.0.1:${grpcPort}`,
      stdout,
      log,
      exited,
      logged,
      status,
      async statusWhen(isReached) {
        let now = await status();
        await waitUntil(async () => isReached((now = await status())));
        return now;
      },
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Two ports that were free just now. */
export async function freePorts(): Promise<RelayPorts> {
  const servers = [createServer(), createServer()];
  const [grpcPort = 0, httpPort = 0] = await Promise.all(
    servers.map(async (server) => {
      server.listen(0);
      await once(server, "listening");
      return (server.address() as AddressInfo).port;
    }),
  );
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return { grpcPort, httpPort };
}

async function untilReady(ports: RelayPorts, isOver: () => boolean): Promise<RelayPorts> {
  await waitUntil(async () => {
    if (isOver()) throw new Error("The relay ended before it was ready");
    try {
      return (await fetch(`http://127.0.0.1:${ports.httpPort}/readyz`)).ok;
    } catch {
      // It does not listen yet.
      return false;
    }
  });
  return ports;
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    // What Node itself says, such as a stack at its end.
    return { message: line };
  }
}

/** A pipe whose two ends are in our hands. */
function makePipe(): { readonly readEnd: number; readonly writeEnd: number } {
  const folder = mkdtempSync(path.join(tmpdir(), "relay-process-"));
  const file = path.join(folder, "pipe");
  execFileSync("mkfifo", [file]);
  const readEnd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(file, constants.O_WRONLY);
  rmSync(folder, { recursive: true });
  return { readEnd, writeEnd };
}
