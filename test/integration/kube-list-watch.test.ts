import assert from "node:assert/strict";
import { test } from "node:test";
import { startControlPlane } from "../../hack/testbed/control-plane.ts";
import { type Cluster, loadCluster } from "../../lib/kube/credentials.ts";
import { type ListWatch, startListWatch } from "../../lib/kube/list-watch.ts";
import { clusterRoleBindings, clusterRoles, configMaps } from "../../lib/kube/resources.ts";
import { Store } from "../../lib/kube/store.ts";
import type { WatchState } from "../../lib/kube/types.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import {
  type Client,
  clusterOf,
  configMap,
  connectTo,
  eventually,
  portOf,
  startGate,
  startRestartable,
} from "./kube-harness.ts";

interface Followed extends AsyncDisposable {
  readonly listWatch: ListWatch;
  readonly store: Store;
  readonly changes: string[];
  readonly restarts: string[];
  readonly states: WatchState[];
}

/** Follows the ConfigMaps of the namespace default, over connections of its own, without long backoffs. */
function follow(cluster: Cluster): Followed {
  const client = connectTo(cluster);
  const store = new Store({});
  const [changes, restarts, states]: [string[], string[], WatchState[]] = [[], [], []];
  const listWatch = startListWatch(
    {
      resource: configMaps,
      scope: { namespace: "default" },
      onChange(change) {
        changes.push(change.kind);
        store.apply(change);
      },
      onRestart: (reason) => restarts.push(reason),
      onState: (state) => states.push(state),
    },
    { client, clock: systemClock, random: () => 0.02, log: silentLog },
  );
  return {
    listWatch,
    store,
    changes,
    restarts,
    states,
    async [Symbol.asyncDispose]() {
      await listWatch[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
    },
  };
}

async function isCaughtUp({ store }: Followed, client: Client): Promise<boolean> {
  const there = await client.list(configMaps, { namespace: "default" });
  const versions = (objects: typeof there) =>
    objects.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).toSorted();
  return versions(there).join() === versions(store.list()).join();
}

test("startListWatch() follows a real server through changes, a cut and a forgotten version", async () => {
  // Without its cache the server reads watches from etcd, which forgets what is two seconds old.
  await using plane = await startControlPlane({
    apiserverArgs: ["--watch-cache=false", "--etcd-compaction-interval=1s"],
  });
  const cluster = await clusterOf(plane.kubeconfig);
  await using client = connectTo(cluster);
  await using gate = await startGate(portOf(cluster));
  await client.create(configMaps, configMap("before", { a: "1" }));
  // Every namespace gets one from kube-controller-manager, at its own time: it must not come amid the changes that are counted.
  await eventually("the cluster's own ConfigMap is there", async () => {
    return (await client.get(configMaps, { namespace: "default", name: "kube-root-ca.crt" })) !== undefined;
  });

  await using followed = follow(gate.through(cluster));
  await followed.listWatch.synced;
  assert.equal(followed.store.get({ namespace: "default", name: "before" })?.kind, "ConfigMap");

  await client.create(configMaps, configMap("during"));
  await client.mergePatch(configMaps, { namespace: "default", name: "before" }, { data: { a: "2" } });
  await client.delete(configMaps, { namespace: "default", name: "during" });
  await eventually("the changes come", () => followed.changes.length === 4);
  assert.deepEqual(followed.changes, ["replaced", "added", "modified", "deleted"]);

  await gate.cut();
  await eventually("the cut is noticed", () => followed.listWatch.state.kind === "failing");
  await client.delete(configMaps, { namespace: "default", name: "before" });
  await gate.open();
  await eventually("the deletion comes", () => followed.changes.length === 5);
  // Watched on from the last version: nothing is listed again.
  assert.deepEqual(followed.changes.slice(4), ["deleted"]);
  assert.equal(followed.listWatch.state.kind, "synced");

  await client.create(configMaps, configMap("doomed"));
  await eventually("the addition comes", () => followed.changes.length === 6);
  await gate.cut();
  await client.delete(configMaps, { namespace: "default", name: "doomed" });
  const old = await client.create(configMaps, configMap("newer"));
  const { resourceVersion = "" } = old.metadata;
  await eventually("the version is forgotten", async () => {
    // Writes move the version on: only older ones than the present one are forgotten.
    await client.mergePatch(configMaps, { namespace: "default", name: "newer" }, { data: { at: String(Date.now()) } });
    const exact = { resourceVersion, resourceVersionMatch: "Exact" as const, limit: 1 };
    return await client.listPage(configMaps, {}, exact).then(
      () => false,
      (error: { code?: number }) => error.code === 410,
    );
  });
  await gate.open();
  await eventually("the list comes", () => isCaughtUp(followed, client));
  assert.ok(followed.restarts.includes("expired"), followed.restarts.join());
  assert.deepEqual(followed.changes.filter((kind) => kind === "replaced").length, 2);
  assert.equal(followed.store.get({ namespace: "default", name: "doomed" }), undefined);
});

test("startListWatch() heals when the server comes back elsewhere with other certificates", async () => {
  await using plane = await startRestartable();
  // The age of credential files is of this clock, so that the test need not wait for a minute.
  const clock = new FakeClock();
  const cluster = loadCluster({ kubeconfig: plane.kubeconfig }, { clock });
  await using gate = await startGate(portOf(cluster));
  await using followed = follow(gate.through(cluster));
  await followed.listWatch.synced;

  await plane.stop();
  await eventually("the end is noticed", () => followed.listWatch.state.kind === "failing");
  await plane.start();
  clock.advance(60_000);
  const anew = loadCluster({ kubeconfig: plane.kubeconfig });
  await using client = connectTo(anew);
  await client.create(configMaps, configMap("after"));
  await gate.cut();
  await gate.open(portOf(anew));
  await eventually("the new object comes", () => isCaughtUp(followed, client));
  assert.equal(followed.listWatch.state.kind, "synced");
  assert.notEqual(followed.store.get({ namespace: "default", name: "after" }), undefined);
});

test("startListWatch() says that RBAC refuses, and goes on once it does not", async () => {
  await using plane = await startControlPlane();
  await using client = connectTo(await clusterOf(plane.kubeconfig));
  await client.create(configMaps, configMap("hidden"));
  await using followed = follow(await clusterOf(plane.kubeconfig, "stranger"));
  await eventually("the refusal is told", () => followed.states.length > 0);
  const [state] = followed.states;
  assert.ok(state?.kind === "failing");
  assert.equal(state.reason, "forbidden");
  assert.match(state.error.message, /User "stranger" cannot list resource "configmaps"/);
  assert.deepEqual(followed.changes, []);

  const group = "rbac.authorization.k8s.io";
  const role = { apiVersion: `${group}/v1`, kind: "ClusterRole", metadata: { name: "see" } };
  const rules = [{ apiGroups: [""], resources: ["configmaps"], verbs: ["list"] }];
  await client.create(clusterRoles, { ...role, rules });
  await client.create(clusterRoleBindings, {
    apiVersion: `${group}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: "see" },
    roleRef: { apiGroup: group, kind: "ClusterRole", name: "see" },
    subjects: [{ apiGroup: group, kind: "User", name: "stranger" }],
  });
  await followed.listWatch.synced;
  assert.notEqual(followed.store.get({ namespace: "default", name: "hidden" }), undefined);
  // A list is not enough: the watch is refused still.
  await eventually("the watch is refused", () => followed.restarts.includes("forbidden"));
  await client.mergePatch(clusterRoles, { name: "see" }, { rules: [{ ...rules[0], verbs: ["list", "watch"] }] });
  await eventually("it is synced", () => followed.listWatch.state.kind === "synced");
  await client.create(configMaps, configMap("shown"));
  await eventually("it is followed", () => isCaughtUp(followed, client));
});
