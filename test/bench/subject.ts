import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { type Accounts, readAccounts } from "./accounts.ts";
import { type Child, type Environment, type Placement, startChild } from "./child.ts";
import type { Network } from "./network.ts";

const run = promisify(execFile);

/** A relay to measure. */
export interface Subject {
  readonly name: string;
  start(agents: readonly string[], network: Network, stdout: RelayStdout | undefined): Promise<RunningSubject>;
}

/** Where a relay prints, if it is to print at all. */
export interface RelayStdout {
  readonly fd: number;
  /** The environment variable that makes it print the feed. */
  readonly variable: string;
}

export interface RunningSubject extends AsyncDisposable {
  readonly child: Child;
  accounts(): Promise<Accounts>;
}

export interface SubjectOptions {
  readonly placement: Placement;
  readonly env: Environment;
}

/** How this project's relay is started. */
export interface Program {
  readonly entry: string;
  readonly nodeFlags: readonly string[];
  readonly env: Environment;
}

/** This project's relay, from its sources or its bundle, with the agents on its command line. */
export function ours(program: Program, options: SubjectOptions): Subject {
  return {
    name: "ours",
    async start(agents, network, stdout) {
      const child = startChild({
        name: "relay",
        command: network.withinRelay([
          process.execPath,
          ...program.nodeFlags,
          program.entry,
          `-gRPCPort=${network.relayPort}`,
          `--httpPort=${network.relayHttpPort}`,
          `--agents=${agents.join(",")}`,
        ]),
        placement: options.placement,
        env: { ...options.env, ...program.env, ...printing(stdout) },
        stdin: "ignore",
        stdout: stdout?.fd ?? "ignore",
      });
      return {
        child,
        accounts: () => accountsOf(network, options.env),
        [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
      };
    },
  };
}

const readUrl = "process.stdout.write(await (await fetch(process.argv[1])).text())";

/** Reads the relay's metrics, in its network. */
async function accountsOf(network: Network, env: Environment): Promise<Accounts> {
  const url = `http://${network.relayHost}:${network.relayHttpPort}/metrics`;
  const reader = [process.execPath, "--input-type=module", "--eval", readUrl, url];
  const [program = "", ...args] = network.withinRelay(reader);
  // With 1,000 agents some MB.
  return readAccounts((await run(program, args, { env, maxBuffer: 64 * 1024 ** 2 })).stdout);
}

function printing(stdout: RelayStdout | undefined): Environment {
  return stdout === undefined ? {} : { [stdout.variable]: "true" };
}

const apiPort = 6443;

/** Upstream's binary. It knows agents only from the Kubernetes API and dials them on the port it listens on itself. */
export function peer(binary: string, options: SubjectOptions): Subject {
  return {
    name: "peer",
    async start(agents, network, stdout) {
      if (network.kind !== "namespaces" || network.agentPort !== network.relayPort) {
        throw new Error(
          `Cannot run '${binary}' on the loopback interface: it wants its agents on its own port (be root)`,
        );
      }
      await using stack = new AsyncDisposableStack();
      const home = await mkdtemp(path.join(tmpdir(), "bench-peer-"));
      stack.defer(() => rm(home, { recursive: true }));
      await writeFile(path.join(home, "config"), kubeconfig(`http://127.0.0.1:${apiPort}`));
      const api = stack.use(
        startChild({
          name: "API server of the peer",
          command: network.withinRelay([
            process.execPath,
            path.join(import.meta.dirname, "kube-api.ts"),
            String(apiPort),
            ...agents.map((address) => address.slice(0, address.lastIndexOf(":"))),
          ]),
          env: options.env,
          stdin: "pipe",
          stdout: "pipe",
        }),
      );
      if (api.process.stdout !== null) await Promise.race([once(api.process.stdout, "data"), api.failed]);
      const child = stack.use(
        startChild({
          name: "peer",
          command: network.withinRelay([binary, `-gRPCPort=${network.relayPort}`]),
          placement: options.placement,
          env: { ...options.env, ...printing(stdout), HOME: home, KUBECONFIG: path.join(home, "config") },
          stdin: "ignore",
          stdout: stdout?.fd ?? "ignore",
        }),
      );
      const owned = stack.move();
      return {
        child,
        // It counts nothing.
        accounts: () => Promise.resolve({ dropped: 0, unaccounted: undefined }),
        [Symbol.asyncDispose]: () => owned.disposeAsync(),
      };
    },
  };
}

function kubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "bench", cluster: { server } }],
    users: [{ name: "bench", user: {} }],
    contexts: [{ name: "bench", context: { cluster: "bench", user: "bench" } }],
    "current-context": "bench",
  });
}
