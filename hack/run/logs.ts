import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import type { Cluster } from "../testbed/cluster/cluster.ts";
import { NAMESPACE } from "./install.ts";

const RETRY_MS = 500;

/**
 * The lines that the relay's pod prints, as they come, until `signal` is aborted: the newest `past` of those there are,
 * and all that follow. When the pod ends so does kubectl: its successor's lines come next.
 */
export async function* relayLines(cluster: Cluster, past: number, signal: AbortSignal): AsyncGenerator<string> {
  const [program, ...words] = cluster.kubectlCommand;
  const args = ["-n", NAMESPACE, "logs", "--follow", `--tail=${past}`, "deployment/kubearmor-relay"];
  while (!signal.aborted) {
    const child = spawn(program, [...words, ...args], { stdio: ["ignore", "pipe", "ignore"] });
    const end = () => child.kill();
    signal.addEventListener("abort", end, { once: true });
    try {
      yield* createInterface({ input: child.stdout });
    } finally {
      signal.removeEventListener("abort", end);
      child.kill();
    }
    // Between two pods there may be none for a while.
    await pause(RETRY_MS);
  }
}
