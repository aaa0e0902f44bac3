import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { resetSocket } from "../../hack/agents/reset-socket.ts";
import { ensurePrograms } from "../../hack/testbed/build.ts";
import { testbedPaths } from "../../hack/testbed/config.ts";
import { consoleProgressDeps, startProgress } from "../../hack/testbed/progress.ts";
import { startTethered } from "../../hack/testbed/tether.ts";
import { createKubeClient } from "../../lib/kube/client.ts";
import type { Cluster } from "../../lib/kube/cluster.ts";
import { loadCluster } from "../../lib/kube/credentials.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import { silentLog } from "../../lib/process/log.ts";

export type Client = ReturnType<typeof createKubeClient>;

export function connectTo(cluster: Cluster): Client {
  return createKubeClient(cluster, { log: silentLog, userAgent: "kube-test/0" });
}

/** The administrator, or whom the administrator plays. */
export async function clusterOf(kubeconfig: string, user?: string): Promise<Cluster> {
  if (user === undefined) return loadCluster({ kubeconfig });
  const config = parse(await readFile(kubeconfig, "utf8")) as { users: { user: Record<string, unknown> }[] };
  for (const entry of config.users) entry.user["as"] = user;
  const path = `${kubeconfig}.${user}`;
  await writeFile(path, stringify(config));
  return loadCluster({ kubeconfig: path });
}

export function configMap(name: string, data: Readonly<Record<string, string>> = {}): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "default", name }, data };
}

/** Polls until the condition holds. @throws when it does not within 30 s */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const untilMs = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > untilMs) throw new Error(`Waited 30 s in vain: ${what}`);
    await pause(20);
  }
}

/** A way through which a client reaches a server, and that can be cut. */
export interface Gate extends AsyncDisposable {
  /** The same cluster, reached through the gate. */
  through(cluster: Cluster): Cluster;
  /** Resets every connection and takes no more. */
  cut(): Promise<void>;
  /** Takes connections again, to another port if one is given. */
  open(port?: number): Promise<void>;
  readonly connections: { readonly opened: number; readonly open: number };
}

export async function startGate(target: number): Promise<Gate> {
  const sockets = new Set<Socket>();
  let port = target;
  let opened = 0;
  const server = createServer((client) => {
    opened += 1;
    const upstream = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.on("error", () => resetSocket(other));
      socket.on("close", () => other.destroy());
      socket.pipe(other);
    }
    sockets.add(client);
    client.on("close", () => sockets.delete(client));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const own = (server.address() as AddressInfo).port;
  const cut = async () => {
    if (!server.listening) return;
    server.close();
    for (const socket of sockets) resetSocket(socket);
    await once(server, "close");
  };
  return {
    through: (cluster) => ({ ...cluster, server: `https://127.0.0.1:${own}` }),
    cut,
    async open(next) {
      port = next ?? port;
      server.listen(own, "127.0.0.1");
      await once(server, "listening");
    },
    get connections() {
      return { opened, open: sockets.size };
    },
    [Symbol.asyncDispose]: cut,
  };
}

export function portOf(cluster: Cluster): number {
  return Number(new URL(cluster.server).port);
}

/** A control plane that can be ended and begun again with its data; it comes back on another port with another CA. */
export interface Restartable extends AsyncDisposable {
  readonly dir: string;
  readonly kubeconfig: string;
  /** By SIGKILL. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface RestartableOptions {
  readonly crds?: readonly string[];
  readonly apiserverArgs?: readonly string[];
}

export async function startRestartable(options: RestartableOptions = {}): Promise<Restartable> {
  using progress = startProgress(consoleProgressDeps);
  const bin = await ensurePrograms(testbedPaths().cache, progress);
  const dir = mkdtempSync(join(tmpdir(), "kubearmor-relay-cp-"));
  const ready = join(dir, "ready");
  const begin = async () => {
    rmSync(ready, { force: true });
    const command = [
      join(bin, "kubebox"),
      "up",
      `--dir=${dir}`,
      "--ip=127.0.0.1",
      ...(options.crds ?? []).map((path) => `--pre=${path}`),
      `--apiserver-flags=${(options.apiserverArgs ?? []).join(" ")}`,
    ];
    const server = await startTethered({ bin, command, logFile: join(dir, "control-plane.log") });
    await server.waitUntil(() => existsSync(ready), 120_000);
    return server;
  };
  let server = await begin();
  return {
    dir,
    kubeconfig: join(dir, "admin.kubeconfig"),
    stop: () => Promise.resolve(server[Symbol.asyncDispose]()),
    async start() {
      server = await begin();
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true });
    },
  };
}
