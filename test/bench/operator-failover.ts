import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { createKubeClient } from "../../lib/kube/client.ts";
import { configMaps, leases } from "../../lib/kube/resources.ts";
import { relayResource } from "../../operator/api/relay.ts";
import type { Harness } from "../integration/operator-harness.ts";
import { type BundledOperator, operatorNamespace, startBundle } from "./operator-bundle.ts";
import { below, type Figure, seconds, spread } from "./operator-figures.ts";
import { follow } from "./operator-follow.ts";

const namespace = "bench-failover";
const name = "failover";
const lease = { namespace: operatorNamespace, name: "kubearmor-relay-operator" };

export interface FailoverOptions {
  readonly terminations: number;
  readonly kills: number;
  /** Of the operator's bundle. */
  readonly folder: string;
}

export interface FailoverDeps {
  readonly harness: Harness;
  readonly client: ReturnType<typeof createKubeClient>;
}

/**
 * From the end of the leader to the first write of the operator that takes over. Something to write is there as soon as the
 * leader's process is gone: a switch of a relay, whose ConfigMap then tells when it was written, and only one can have.
 * Both operators know all relays of the cluster.
 * @param leader is ended with the first round
 */
export async function measureFailovers(
  { terminations, kills, folder }: FailoverOptions,
  { harness, client }: FailoverDeps,
  leader: BundledOperator,
): Promise<readonly Figure[]> {
  const { operatorKubeconfig: kubeconfig } = harness;
  await using stack = new AsyncDisposableStack();
  await harness.createNamespace(namespace);
  await harness.createRelay(namespace, name, { service: { name } });
  const settings = stack.use(await follow(client, configMaps, { namespace, name }));
  const held = stack.use(await follow(client, leases, lease));
  await settings.until("the relay has its settings", () => true);
  let leading = leader;
  let logs = false;
  const round = async (signal: "SIGTERM" | "SIGKILL") => {
    const standby = stack.use(startBundle({ folder, kubeconfig, httpPort: await freePort() }));
    await standby.untilReady();
    logs = !logs;
    const endedMs = performance.now();
    await leading.end(signal);
    await client.mergePatch(relayResource, { namespace, name }, { spec: { stdout: { logs } } });
    const written = `${logs}`;
    const writtenMs = await settings.until("the other operator has written", (object) => {
      return (object["data"] as Readonly<Record<string, string>>)["ENABLE_STDOUT_LOGS"] === written;
    });
    await held.until("it holds the lease", (object) => {
      return Boolean((object["spec"] as { readonly holderIdentity?: string }).holderIdentity);
    });
    leading = standby;
    return writtenMs - endedMs;
  };
  const times = async (signal: "SIGTERM" | "SIGKILL", rounds: number) => {
    const found: number[] = [];
    while (found.length < rounds) found.push(await round(signal));
    return found;
  };
  const terminated = await times("SIGTERM", terminations);
  const killed = await times("SIGKILL", kills);
  return [
    below(
      "SIGTERM to the leader to a write of the other",
      terminated,
      { limit: 2_000, text: seconds },
      spread(terminated),
    ),
    below("kill -9 of the leader to a write of the other", killed, { limit: 20_000, text: seconds }, spread(killed)),
  ];
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await once(server.close(), "close");
  return port;
}
