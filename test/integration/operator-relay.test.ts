import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse, stringify } from "yaml";
import { deployments, pods } from "../../lib/kube/resources.ts";
import { relayResource } from "../../operator/api/relay.ts";
import type { Operator } from "../../operator/operator.ts";
import { eventually, type Harness, startHarness, statusOf, untilCondition } from "./operator-harness.ts";
import { type RelayReplica, startReplica } from "./relay-replica.ts";

let harness: Harness;
let operator: Operator;

before(async () => {
  harness = await startHarness({ fakeRelays: false });
  operator = await harness.start();
});

after(async () => {
  await operator[Symbol.asyncDispose]();
  await harness[Symbol.asyncDispose]();
});

/** What a pod of the relay would have: the token of its ServiceAccount. */
async function relayKubeconfig(namespace: string, name: string): Promise<string> {
  const { plane } = harness;
  const token = await plane.kubectl(["-n", namespace, "create", "token", name]);
  const config = parse(await readFile(plane.kubeconfig, "utf8")) as { users: { name: string; user: unknown }[] };
  const users = config.users.map((user) => ({ name: user.name, user: { token: token.trim() } }));
  const path = join(plane.dir, `${namespace}.kubeconfig`);
  await writeFile(path, stringify({ ...config, users }));
  return path;
}

async function argumentsOf(namespace: string, name: string): Promise<readonly string[]> {
  const deployment = await harness.admin.get(deployments, { namespace, name });
  assert.ok(deployment);
  const { template } = deployment["spec"] as {
    readonly template: { readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] } };
  };
  // The ports and the mounted file are a pod's.
  return (template.spec.containers[0]?.args ?? []).filter((arg) => !/^-+(gRPCPort|httpPort|config)=/.test(arg));
}

function errorsOf({ log }: RelayReplica): readonly unknown[] {
  return log.filter(({ level }) => level === "error" || level === "warn");
}

test("two replicas with the operator's arguments and rights: settings are followed and reported, one prints, nothing is refused", async () => {
  const at = { namespace: "together", name: "relay" };
  await harness.createNamespace(at.namespace);
  await harness.createRelay(at.namespace, at.name, { replicas: 2, stdout: { alerts: true } });
  await untilCondition(harness.admin, at, "Ready", "False", "AwaitingReport");
  const kubeconfig = `--kubeconfig=${await relayKubeconfig(at.namespace, at.name)}`;
  const args = await argumentsOf(at.namespace, at.name);
  const live = await harness.admin.list(pods, { namespace: at.namespace });
  const flagsOf = (index: number) => [
    ...args.map((arg) => arg.replace("$(POD_NAME)", live[index]?.metadata.name ?? "")),
    kubeconfig,
  ];
  await using first = await startReplica(flagsOf(0));
  await using second = await startReplica(flagsOf(1));
  const ready = await untilCondition(harness.admin, at, "Ready", "True");
  assert.equal(statusOf(ready).stdout, "alerts");
  const leading = async () => {
    const pages = await Promise.all([first.statusz(), second.statusz()]);
    return pages.filter(
      ({ process }) => (process as { readonly stdoutLeader: { readonly isLeader: boolean } }).stdoutLeader.isLeader,
    ).length;
  };
  await eventually("one prints", async () => ((await leading()) === 1 ? true : undefined));
  const hashes = async () => {
    const pages = await Promise.all([first.statusz(), second.statusz()]);
    return new Set(pages.map(({ settingsHash }) => settingsHash));
  };
  await eventually("both have the settings", async () => ((await hashes()).size === 1 ? true : undefined));
  const [earlier] = await hashes();
  await harness.admin.mergePatch(relayResource, at, {
    spec: { clusterName: "prod", agents: { namespaces: ["kubearmor"], port: 40_000 }, limits: { bufferBytes: "64Mi" } },
  });
  await eventually("both have the new settings", async () => {
    const now = await hashes();
    return now.size === 1 && !now.has(earlier) ? true : undefined;
  });
  await untilCondition(harness.admin, at, "Ready", "True");
  assert.deepEqual(errorsOf(first), []);
  assert.deepEqual(errorsOf(second), []);
});
