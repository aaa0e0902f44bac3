import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { nodeFlags, startEnv } from "../../hack/bundle-start.ts";
import type { ControlPlane } from "../../hack/testbed/control-plane.ts";
import { deployments, pods } from "../../lib/kube/resources.ts";
import type { KubeObject, ObjectName } from "../../lib/kube/types.ts";
import { eventually, type Harness } from "../integration/operator-harness.ts";
import { startChild } from "./child.ts";
import { freePort } from "./operator-failover.ts";

/** A relay in a process of this machine, in place of what a fake node does not run. */
export interface RelayInPod extends AsyncDisposable {
  readonly pid: number;
  /** host:port of its gRPC server. */
  readonly address: string;
  /** What it prints. */
  readonly lines: Interface;
  metrics(): Promise<string>;
}

export interface RelayInPodOptions {
  /** Of the relay's bundle. */
  readonly folder: string;
  readonly relay: Required<ObjectName>;
}

interface PodTemplate {
  readonly spec: { readonly containers: readonly { readonly args?: readonly string[] }[] };
}

const startTimeoutMs = 30_000;

/** As the pod of its Deployment would: with the same arguments and the rights of its ServiceAccount, on free ports. */
export async function startRelayInPod({ folder, relay }: RelayInPodOptions, harness: Harness): Promise<RelayInPod> {
  const { namespace, name } = relay;
  const deployment = await eventually("there is a Deployment", () => harness.admin.get(deployments, relay));
  const pod = await eventually("there is a pod", async () => {
    const found = await harness.admin.list(pods, { namespace });
    return found.find((one) => one.metadata.name.startsWith(`${name}-`));
  });
  const kubeconfig = await writeKubeconfig(harness.plane, relay);
  const [grpcPort, httpPort] = [await freePort(), await freePort()];
  const child = startChild({
    name: "relay",
    command: [
      process.execPath,
      ...nodeFlags,
      join(folder, "main.js"),
      ...argumentsOf(deployment, pod.metadata.name),
      `-gRPCPort=${grpcPort}`,
      `--httpPort=${httpPort}`,
      `--kubeconfig=${kubeconfig}`,
    ],
    env: { PATH: "/usr/bin:/bin", POD_NAME: pod.metadata.name, ...startEnv },
    stdin: "ignore",
    stdout: "pipe",
  });
  const { stdout } = child.process;
  if (stdout === null) throw new TypeError("The relay's stdout is no pipe");
  const url = `http://127.0.0.1:${httpPort}`;
  try {
    await Promise.race([untilReady(url), child.failed]);
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  return {
    pid: child.pid,
    address: `127.0.0.1:${grpcPort}`,
    lines: createInterface({ input: stdout }),
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** All but the file of settings, which is in the pod only, and the ports, which many share on this machine. */
function argumentsOf(deployment: KubeObject, pod: string): readonly string[] {
  const { template } = deployment["spec"] as { readonly template: PodTemplate };
  const elsewhere = /^--?(config|gRPCPort|httpPort)=/;
  return (template.spec.containers[0]?.args ?? [])
    .filter((argument) => !elsewhere.test(argument))
    .map((argument) => argument.replace("$(POD_NAME)", pod));
}

async function writeKubeconfig(plane: ControlPlane, { namespace, name }: Required<ObjectName>): Promise<string> {
  const token = (await plane.kubectl(["-n", namespace, "create", "token", name, "--duration=2h"])).trim();
  const config = parse(await readFile(plane.kubeconfig, "utf8")) as { readonly users: readonly { name: string }[] };
  const path = join(plane.dir, "relay.kubeconfig");
  await writeFile(
    path,
    stringify({ ...config, users: config.users.map((user) => ({ name: user.name, user: { token } })) }),
  );
  return path;
}

async function untilReady(url: string): Promise<void> {
  const untilMs = performance.now() + startTimeoutMs;
  for (;;) {
    const said = await fetch(`${url}/readyz`).then(
      async (response) => ({ isReady: response.ok, text: await response.text() }),
      (error: unknown) => ({ isReady: false, text: String(error) }), // it does not listen yet
    );
    if (said.isReady) return;
    if (performance.now() > untilMs) throw new Error(`The relay is not ready: ${said.text}`);
    await pause(50);
  }
}
