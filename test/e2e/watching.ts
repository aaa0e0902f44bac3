import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { NAMESPACE } from "../../hack/run/install.ts";
import type { LocalNodeCluster } from "../../hack/testbed/cluster/local-node.ts";
import type { SubscriptionReport } from "./subscriber.ts";

/** A subscriber that comes back, in the node's network. */
export interface RunningSubscriber extends AsyncDisposable {
  report(): Promise<readonly SubscriptionReport[]>;
}

export function startSubscriber(cluster: LocalNodeCluster, address: string): RunningSubscriber {
  const program = join(import.meta.dirname, "subscriber.ts");
  const child = start([...cluster.node.prefix, process.execPath, program, address], cluster.node.env);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async report() {
      child.stdin.write("report\n");
      const { value, done } = await lines.next();
      if (done === true) throw new Error("The subscriber has ended");
      return JSON.parse(value) as readonly SubscriptionReport[];
    },
    [Symbol.asyncDispose]: () => end(child),
  };
}

/** The addresses at a Service that take connections, as they change. */
export interface EndpointRecord extends AsyncDisposable {
  /** How many were ready at each change, the first one that had any first. */
  readonly ready: readonly number[];
}

interface Endpoint {
  readonly conditions?: { readonly ready?: boolean };
}

/** From now on. kubectl, because the API server is in the node's network. */
export function recordEndpoints(cluster: LocalNodeCluster, service: string): EndpointRecord {
  const [program, ...args] = cluster.kubectlCommand;
  const form = 'jsonpath={.metadata.name} {.endpoints}{"\\n"}';
  const label = `kubernetes.io/service-name=${service}`;
  const words = ["-n", NAMESPACE, "get", "endpointslices", "-l", label, "--watch", "-o", form];
  const child = start([program, ...args, ...words], cluster.node.env);
  const slices = new Map<string, number>();
  const ready: number[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [slice = "", list = ""] = line.split(/ (.*)/);
    // A slice without any has none of that name.
    const endpoints = list.startsWith("[") ? (JSON.parse(list) as readonly Endpoint[]) : [];
    slices.set(slice, endpoints.filter(({ conditions }) => conditions?.ready === true).length);
    const sum = [...slices.values()].reduce((total, count) => total + count, 0);
    if (sum > 0 || ready.length > 0) ready.push(sum);
  });
  return { ready, [Symbol.asyncDispose]: () => end(child) };
}

type Piped = ChildProcessByStdio<Writable, Readable, null>;

function start([program = "", ...args]: readonly string[], env: Readonly<Record<string, string>>): Piped {
  return spawn(program, args, { stdio: ["pipe", "pipe", "inherit"], env });
}

async function end(child: Piped): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  await gone;
}
