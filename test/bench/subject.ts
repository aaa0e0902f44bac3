import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { type Child, type Environment, type Placement, startChild } from "./child.ts";
import type { Network } from "./network.ts";

const run = promisify(execFile);

/** A relay to measure. */
export interface Subject {
  start(agents: readonly string[], network: Network): Promise<RunningSubject>;
}

export interface RunningSubject extends AsyncDisposable {
  readonly name: string;
  readonly child: Child;
  /** Deliveries the relay says it dropped. */
  dropped(): Promise<number>;
}

export interface SubjectOptions {
  readonly placement: Placement;
  readonly env: Environment;
}

/** This project's relay, from its sources or its bundle, with the agents on its command line. */
export function ours(entry: string, options: SubjectOptions): Subject {
  return {
    async start(agents, network) {
      const child = startChild({
        name: "relay",
        command: network.withinRelay([
          process.execPath,
          entry,
          `-gRPCPort=${network.relayPort}`,
          `--httpPort=${network.relayHttpPort}`,
          `--agents=${agents.join(",")}`,
        ]),
        placement: options.placement,
        env: options.env,
        stdin: "ignore",
        stdout: "ignore",
      });
      return {
        name: "ours",
        child,
        dropped: () => droppedBy(network, options.env),
        [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
      };
    },
  };
}

const readUrl = "process.stdout.write(await (await fetch(process.argv[1])).text())";

/** Reads the relay's metrics, in its network. */
async function droppedBy(network: Network, env: Environment): Promise<number> {
  const url = `http://${network.relayHost}:${network.relayHttpPort}/metrics`;
  const reader = [process.execPath, "--input-type=module", "--eval", readUrl, url];
  const [program = "", ...args] = network.withinRelay(reader);
  return droppedIn((await run(program, args, { env })).stdout);
}

/** Sums what subscribers were offered and did not get, from Prometheus' text format. */
export function droppedIn(metrics: string): number {
  let dropped = 0;
  for (const [, outcome, value] of metrics.matchAll(
    /^kubearmor_relay_subscriber_events_total\{.*outcome="(\w+)".*\} (\S+)$/gmu,
  )) {
    if (outcome !== "delivered") dropped += Number(value);
  }
  return dropped;
}

const apiPort = 6443;

/** Upstream's binary. It knows agents only from the Kubernetes API and dials them on the port it listens on itself. */
export function peer(binary: string, options: SubjectOptions): Subject {
  return {
    async start(agents, network) {
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
          env: { ...options.env, HOME: home, KUBECONFIG: path.join(home, "config") },
          stdin: "ignore",
          stdout: "ignore",
        }),
      );
      const owned = stack.move();
      return {
        name: "peer",
        child,
        // It counts nothing.
        dropped: () => Promise.resolve(0),
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
