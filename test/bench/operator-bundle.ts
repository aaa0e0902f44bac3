import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { nodeFlags, startEnv } from "../../hack/bundle-start.ts";
import { searchPath } from "../../hack/testbed/config.ts";
import { type Child, startChild } from "./child.ts";
import { readUsage } from "./usage.ts";

export const operatorNamespace = "kubearmor-relay-system";
export const operatorUser = `system:serviceaccount:${operatorNamespace}:kubearmor-relay-operator`;

const readyTimeoutMs = 60_000;

/** A process of the operator's bundle, started as its image starts it. */
export interface BundledOperator extends AsyncDisposable {
  /** In MiB. */
  memory(): { readonly residentMiB: number; readonly peakMiB: number };
  /** Its caches are filled, whether it leads or not. */
  untilReady(): Promise<void>;
  /** Resolves when it is gone. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

export interface BundleOptions {
  /** Folder of the bundle. */
  readonly folder: string;
  readonly kubeconfig: string;
  readonly httpPort: number;
}

export function startBundle({ folder, kubeconfig, httpPort }: BundleOptions): BundledOperator {
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    `--http-port=${httpPort}`,
    "--leader-elect=true",
    `--leader-elect-namespace=${operatorNamespace}`,
    "--relay-image=localhost/relay:bench",
    "--log-level=warn",
  ];
  const child = startChild({
    name: "operator",
    command: [process.execPath, ...nodeFlags, join(folder, "main.js"), ...flags],
    env: { PATH: searchPath().join(":"), NODE_ENV: "production", ...startEnv },
    stdin: "ignore",
    stdout: "ignore",
  });
  return {
    memory() {
      const { residentBytes, peakResidentBytes } = readUsage(child.pid);
      return { residentMiB: residentBytes / 2 ** 20, peakMiB: peakResidentBytes / 2 ** 20 };
    },
    untilReady: () => Promise.race([untilReady(httpPort), child.failed]),
    end: (signal) => end(child, signal),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

async function untilReady(httpPort: number): Promise<void> {
  const untilMs = performance.now() + readyTimeoutMs;
  for (;;) {
    const isReady = await fetch(`http://127.0.0.1:${httpPort}/readyz`).then(
      (response) => response.ok,
      () => false, // it does not listen yet
    );
    if (isReady) return;
    if (performance.now() > untilMs) throw new Error(`The operator is not ready after ${readyTimeoutMs / 1000} s`);
    await pause(50);
  }
}

async function end({ process: child }: Child, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  const gone = child.exitCode === null && child.signalCode === null ? once(child, "exit") : Promise.resolve();
  child.kill(signal);
  await gone;
}
