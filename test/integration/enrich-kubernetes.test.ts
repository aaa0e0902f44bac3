import assert from "node:assert/strict";
import { test } from "node:test";
import { startControlPlane } from "../../hack/testbed/control-plane.ts";
import type { Cluster } from "../../lib/kube/cluster.ts";
import { clusterRoleBindings, clusterRoles, pods, serviceAccounts, services } from "../../lib/kube/resources.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { type HostWatch, startHosts } from "../../relay/enrich/watch-hosts.ts";
import { type Client, clusterOf, connectTo, eventually, portOf, startGate } from "./kube-harness.ts";

const namespace = "default";

interface Watched extends AsyncDisposable {
  readonly hosts: HostWatch;
  states(): string;
  /** Waits until an address belongs to `owner`, or to nobody. */
  readonly becomes: (address: string, owner: string | undefined) => Promise<void>;
}

/** Watches over connections of its own, without long backoffs. */
function watch(cluster: Cluster): Watched {
  const client = connectTo(cluster);
  const hosts = startHosts({ client, clock: systemClock, random: () => 0.02, log: silentLog });
  return {
    hosts,
    states: () =>
      hosts.states
        .map(({ resource, state }) => `${resource} ${state.kind === "failing" ? state.reason : state.kind}`)
        .join(", "),
    becomes: (address, owner) =>
      eventually(`${address} belongs to ${owner ?? "nobody"}`, () => hosts.index.lookup(address) === owner),
    async [Symbol.asyncDispose]() {
      await hosts[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
    },
  };
}

async function createPod(client: Client, name: string, spec: object = {}): Promise<void> {
  const metadata = { namespace, name };
  const containers = [{ name: "main", image: "none.example/none" }];
  await client.create(pods, { apiVersion: "v1", kind: "Pod", metadata, spec: { containers, ...spec } });
}

/** What the kubelet would write. */
async function setStatus(client: Client, name: string, phase: string, ips: readonly string[]): Promise<void> {
  const status = { phase, podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) };
  const object: KubeObject = { apiVersion: "v1", kind: "Pod", metadata: { namespace, name }, status };
  await client.apply(pods, object, { fieldManager: "kubelet", force: true, subresource: "status" });
}

async function deletePod(client: Client, name: string): Promise<void> {
  await client.delete(pods, { namespace, name });
  await eventually(`${name} is gone`, async () => (await client.get(pods, { namespace, name })) === undefined);
}

async function createService(client: Client, name: string, spec: object = {}): Promise<string> {
  const ports = [{ port: 80 }];
  const metadata = { namespace, name };
  const object = await client.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: { ports, ...spec },
  });
  return (object["spec"] as { clusterIP: string }).clusterIP;
}

test("startHosts() tells on a real server who has an address, from its first owner to its last", async () => {
  await using plane = await startControlPlane();
  const cluster = await clusterOf(plane.kubeconfig);
  await using client = connectTo(cluster);
  await eventually("pods can be made", async () => {
    return (await client.get(serviceAccounts, { namespace, name: "default" })) !== undefined;
  });
  await createPod(client, "before");
  await setStatus(client, "before", "Running", ["10.42.0.1", "fd00:10:42::1"]);
  const headless = await createService(client, "headless", { clusterIP: "None" });
  assert.equal(headless, "None");

  await using gate = await startGate(portOf(cluster));
  await using watched = watch(gate.through(cluster));
  const { hosts, becomes } = watched;
  await becomes("10.42.0.1", "pod/default/before");
  await becomes("fd00:10:42::1", "pod/default/before");
  assert.equal(hosts.index.lookup("None"), undefined);

  const redis = await createService(client, "redis");
  await becomes(redis, "svc/default/redis");
  await client.delete(services, { namespace, name: "redis" });
  await becomes(redis, undefined);

  // The address of a pod that has ended is given to another, and stays its own when the first is deleted.
  await createPod(client, "job");
  await setStatus(client, "job", "Running", ["10.42.0.2"]);
  await becomes("10.42.0.2", "pod/default/job");
  await setStatus(client, "job", "Succeeded", ["10.42.0.2"]);
  await becomes("10.42.0.2", undefined);
  await createPod(client, "heir");
  await setStatus(client, "heir", "Running", ["10.42.0.2"]);
  await becomes("10.42.0.2", "pod/default/heir");
  await deletePod(client, "job");
  await createPod(client, "marker");
  await setStatus(client, "marker", "Running", ["10.42.0.3"]);
  await becomes("10.42.0.3", "pod/default/marker");
  assert.equal(hosts.index.lookup("10.42.0.2"), "pod/default/heir");

  await createPod(client, "proxy", { hostNetwork: true });
  await setStatus(client, "proxy", "Running", ["192.0.2.10"]);
  await becomes("192.0.2.10", "pod/default/proxy");
  await createPod(client, "agent", { hostNetwork: true });
  await setStatus(client, "agent", "Running", ["192.0.2.10"]);
  await setStatus(client, "marker", "Running", ["10.42.0.4"]);
  await becomes("10.42.0.4", "pod/default/marker");
  assert.equal(hosts.index.lookup("10.42.0.3"), undefined);
  assert.equal(hosts.index.lookup("192.0.2.10"), undefined);

  await gate.cut();
  await eventually("the cut is noticed", () => watched.states() !== "pods synced, services synced");
  await deletePod(client, "before");
  assert.equal(hosts.index.lookup("10.42.0.1"), "pod/default/before");
  await gate.open();
  await becomes("10.42.0.1", undefined);
  await becomes("fd00:10:42::1", undefined);
  await eventually("all is followed", () => watched.states() === "pods synced, services synced");
});

test("startHosts() knows on a real server what RBAC lets it see, and says what not", async () => {
  await using plane = await startControlPlane();
  await using client = connectTo(await clusterOf(plane.kubeconfig));
  const redis = await createService(client, "redis");
  await using watched = watch(await clusterOf(plane.kubeconfig, "stranger"));
  await eventually("the refusals are told", () => watched.states() === "pods forbidden, services forbidden");
  assert.equal(watched.hosts.index.lookup(redis), undefined);

  const group = "rbac.authorization.k8s.io";
  const role = { apiVersion: `${group}/v1`, kind: "ClusterRole", metadata: { name: "see" } };
  const rules = [{ apiGroups: [""], resources: ["services"], verbs: ["list", "watch"] }];
  await client.create(clusterRoles, { ...role, rules });
  await client.create(clusterRoleBindings, {
    apiVersion: `${group}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: "see" },
    roleRef: { apiGroup: group, kind: "ClusterRole", name: "see" },
    subjects: [{ apiGroup: group, kind: "User", name: "stranger" }],
  });
  await watched.becomes(redis, "svc/default/redis");
  assert.equal(watched.states(), "pods forbidden, services synced");
});
