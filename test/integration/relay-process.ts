import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type RelayStatus, waitUntil } from "./relay-harness.ts";

export type LogLine = Readonly<Record<string, unknown>> & { readonly message: string };

/** A relay in a process of its own, started as a user would. */
export interface RelayProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly grpcPort: number;
  /** host:port of its gRPC server. */
  readonly address: string;
  /** Nobody reads it until the test does. */
  readonly stdout: Readable | null;
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
  /** Default: free ones, which its log tells. */
  readonly ports?: RelayPorts;
}

const program = new URL("../../relay/main.ts", import.meta.url).pathname;

/** Resolves when the relay listens. */
export async function startRelayProcess({ flags, env = {}, ports }: RelayProcessOptions): Promise<RelayProcess> {
  const wanted = ports ?? { grpcPort: 0, httpPort: 0 };
  const args = [program, `-gRPCPort=${wanted.grpcPort}`, `--httpPort=${wanted.httpPort}`, ...flags];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  const log: LogLine[] = [];
  if (ports === undefined) {
    createInterface({ input: child.stderr }).on("line", (line) => log.push(JSON.parse(line) as LogLine));
  }
  const logged = async (message: string | RegExp) => {
    const find = () =>
      log.find((line) => (typeof message === "string" ? line.message === message : message.test(line.message)));
    await waitUntil(() => find() !== undefined || isOver());
    // What it said last may arrive after its end.
    await waitUntil(() => find() !== undefined || child.stderr.readableEnded);
    const line = find();
    if (line === undefined) throw new Error(`The relay ended without "${String(message)}": ${JSON.stringify(log)}`);
    return line;
  };
  const end = async () => {
    if (!isOver()) child.kill("SIGKILL");
    await exited;
  };
  try {
    const told = ports === undefined ? await logged("Relay is listening") : await untilReady(ports, isOver);
    const { grpcPort, httpPort } = told as unknown as RelayPorts;
    const status = async () => {
      const response = await fetch(`http://127.0.0.1:${httpPort}/statusz`);
      return (await response.json()) as RelayStatus;
    };
    return {
      child,
      grpcPort,
      address: `127.0.0.1:${grpcPort}`,
      stdout: child.stdout,
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
