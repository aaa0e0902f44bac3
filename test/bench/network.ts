import { execFile } from "node:child_process";
import { once } from "node:events";
import { readlink } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type Child, type Environment, startChild } from "./child.ts";

const run = promisify(execFile);

/** Where the load and the relay run, and how they reach each other. */
export interface Network extends AsyncDisposable {
  readonly kind: "loopback" | "namespaces";
  /** The addresses of that many agents, all with the same port. */
  agents(count: number): readonly string[];
  readonly agentPort: number;
  readonly relayHost: string;
  readonly relayPort: number;
  readonly relayHttpPort: number;
  withinLoad(command: readonly string[]): readonly string[];
  withinRelay(command: readonly string[]): readonly string[];
}

/** The machine's loopback interface: needs no rights. A relay that listens on its agents' port has no place here. */
export async function loopback(): Promise<Network> {
  const [agentPort = 0, relayPort = 0, relayHttpPort = 0] = await freePorts(3);
  return {
    kind: "loopback",
    agents: (count) => addresses("127.10", count, agentPort),
    agentPort,
    relayHost: "127.0.0.1",
    relayPort,
    relayHttpPort,
    withinLoad: (command) => command,
    withinRelay: (command) => command,
    async [Symbol.asyncDispose]() {},
  };
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/**
 * Two network namespaces joined by a veth pair, as a relay's pod and its cluster: every agent has an address of its own
 * (all of 10.201.0.0/16 is local to the load), and the relay may listen on the agents' port. They belong to two idle
 * processes and vanish with them. Root only.
 */
export async function namespaces(env: Environment, signal: AbortSignal): Promise<Network> {
  const held: Child[] = [];
  const dispose = async () => {
    for (const holder of held) await holder[Symbol.asyncDispose]();
  };
  try {
    const load = await newNamespace(env, held, signal);
    const relay = await newNamespace(env, held, signal);
    const ip = (holder: Child, command: string) =>
      run("nsenter", [...enter(holder), "ip", ...command.split(" ")], { env, signal });
    for (const holder of [load, relay]) await ip(holder, "link set lo up");
    await ip(load, `link add veth0 type veth peer name veth0 netns ${relay.pid}`);
    await ip(load, "addr add 10.202.0.1/24 dev veth0");
    await ip(relay, "addr add 10.202.0.2/24 dev veth0");
    for (const holder of [load, relay]) await ip(holder, "link set veth0 up");
    await ip(load, "route add local 10.201.0.0/16 dev lo");
    await ip(relay, "route add 10.201.0.0/16 via 10.202.0.1");
    return {
      kind: "namespaces",
      agents: (count) => addresses("10.201", count, 32_767),
      agentPort: 32_767,
      relayHost: "10.202.0.2",
      relayPort: 32_767,
      relayHttpPort: 8080,
      withinLoad: (command) => ["nsenter", ...enter(load), ...command],
      withinRelay: (command) => ["nsenter", ...enter(relay), ...command],
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function enter(holder: Child): readonly string[] {
  return ["-t", String(holder.pid), "-n"];
}

async function newNamespace(env: Environment, held: Child[], signal: AbortSignal): Promise<Child> {
  // `cat` waits for the end of its input, which comes with the end of this process at the latest.
  const holder = startChild({
    name: "network namespace",
    command: ["unshare", "--net", "cat"],
    env,
    stdin: "pipe",
    stdout: "ignore",
  });
  held.push(holder);
  const ours = await readlink("/proc/self/ns/net");
  while ((await Promise.race([readlink(`/proc/${holder.pid}/ns/net`), holder.failed])) === ours) {
    await sleep(5, undefined, { signal });
  }
  return holder;
}

function addresses(net: string, count: number, port: number): readonly string[] {
  // From .1.1 on: hosts 1 to 250 of each /24.
  return Array.from({ length: count }, (_, i) => `${net}.${1 + Math.floor(i / 250)}.${1 + (i % 250)}:${port}`);
}
