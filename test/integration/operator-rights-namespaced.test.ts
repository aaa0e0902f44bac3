import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, test } from "node:test";
import {
  clusterRoleBindings,
  configMaps,
  deployments,
  events,
  podDisruptionBudgets,
  roleBindings,
  roles,
  services,
} from "../../lib/kube/resources.ts";
import { relayResource } from "../../operator/api/relay.ts";
import { type Harness, type Spec, conditionOf, eventually, startHarness, untilCondition } from "./operator-harness.ts";
import { startAs, usesOf } from "./operator-rights-rig.ts";

/** The operator is in the first, and looks after the relays of both. */
const watched = ["tenant", "tenant-b"] as const;
const user = "system:serviceaccount:tenant:kubearmor-relay-operator";
const config = new URL("../../config/operator-namespaced/", import.meta.url).pathname;
const limit = { timeout: 90_000 };
const spec: Spec = { agents: { namespaces: [...watched] }, enrichment: { remoteHost: false } };
const at = { namespace: "tenant", name: "relay" };

let harness: Harness;
const opened = new AsyncDisposableStack();

before(async () => {
  harness = opened.use(await startHarness());
  for (const namespace of watched) await harness.createNamespace(namespace);
  // What docs/operator.md says of more namespaces than its own.
  const flag = [{ op: "add", path: "/spec/template/spec/containers/0/args/-", value: "--namespaces=tenant,tenant-b" }];
  await install({
    namespace: "tenant",
    resources: [config],
    patches: [{ target: { kind: "Deployment" }, patch: JSON.stringify(flag) }],
  });
  const subject = [{ op: "replace", path: "/subjects/0/namespace", value: "tenant" }];
  await install({
    namespace: "tenant-b",
    resources: [join(config, "watched")],
    patches: [{ target: { kind: "RoleBinding" }, patch: JSON.stringify(subject) }],
  });
  const options = { namespaces: watched, clusterRights: false, leaderElect: true, leaseNamespace: "tenant" };
  opened.use(await startAs(harness.plane.kubeconfig, user, options));
});

after(() => opened[Symbol.asyncDispose]());

/** A kustomization of one's own, as a user would write it. */
async function install(kustomization: { readonly resources: readonly string[] } & Record<string, unknown>) {
  const directory = await mkdtemp(join(tmpdir(), "kubearmor-relay-kustomize-"));
  try {
    // Only relative paths are taken.
    const resources = kustomization.resources.map((path) => relative(directory, path));
    const text = JSON.stringify({ kind: "Kustomization", ...kustomization, resources });
    await writeFile(join(directory, "kustomization.yaml"), text);
    await harness.plane.kubectl(["apply", "--server-side", "-k", directory]);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test("the install: its operator is told of the namespaces, and to stay in them", async () => {
  const deployment = await harness.admin.get(deployments, { namespace: "tenant", name: "kubearmor-relay-operator" });
  const text = JSON.stringify(deployment?.["spec"]);
  assert.match(text, /"--cluster-rights=false","--namespaces=tenant,tenant-b"/);
});

test("a relay that asks for no more becomes Ready, with roles in both namespaces", limit, async () => {
  await harness.createRelay(at.namespace, at.name, spec);
  await untilCondition(harness.admin, at, "Ready", "True");
  for (const namespace of watched) {
    assert.ok(await harness.admin.get(roles, { namespace, name: "kubearmor-relay:tenant:relay" }));
    assert.ok(await harness.admin.get(roleBindings, { namespace, name: "kubearmor-relay:tenant:relay" }));
  }
});

test("toggles, objects that come and go, a renamed Service and drift", limit, async () => {
  await harness.admin.mergePatch(relayResource, at, { spec: { stdout: { logs: true }, replicas: 2 } });
  await eventually("there is a budget", () => harness.admin.get(podDisruptionBudgets, at));
  await eventually("stdout is on", async () => {
    const data = (await harness.admin.get(configMaps, at))?.["data"] as Readonly<Record<string, string>> | undefined;
    return data?.["ENABLE_STDOUT_LOGS"] === "true" ? true : undefined;
  });
  await harness.admin.mergePatch(relayResource, at, { spec: { replicas: 1, service: { name: "renamed" } } });
  await eventually("the Service has its new name alone", async () => {
    const names = ["kubearmor", "renamed"].map((name) => harness.admin.get(services, { ...at, name }));
    const [old, renamed] = await Promise.all(names);
    return old === undefined && renamed !== undefined ? true : undefined;
  });
  await eventually("the budget is gone", async () =>
    (await harness.admin.get(podDisruptionBudgets, at)) === undefined ? true : undefined,
  );
  const elsewhere = { namespace: "tenant-b", name: "kubearmor-relay:tenant:relay" };
  await harness.admin.delete(roles, elsewhere);
  await eventually("the role elsewhere is made anew", () => harness.admin.get(roles, elsewhere));
  await untilCondition(harness.admin, at, "Ready", "True");
});

test("a relay that asks for more is refused with what to set, and is taken once it does not", limit, async () => {
  const greedy = { namespace: "tenant-b", name: "greedy" };
  await harness.createRelay(greedy.namespace, greedy.name, { agents: { namespaces: ["kube-system"] } });
  const relay = await untilCondition(harness.admin, greedy, "Accepted", "False", "ClusterRightsNeeded");
  const message = conditionOf(relay, "Accepted")?.message ?? "";
  assert.match(message, /take out kube-system, because the operator has rights in tenant, tenant-b only/);
  assert.match(message, /spec\.enrichment\.remoteHost: set it to false/);
  assert.equal(conditionOf(relay, "Stalled")?.reason, "ClusterRightsNeeded");
  assert.equal(await harness.admin.get(deployments, greedy), undefined);
  await harness.admin.mergePatch(relayResource, greedy, { spec });
  await untilCondition(harness.admin, greedy, "Ready", "True");
});

test("a relay is deleted: its roles elsewhere go, and then its finalizer", limit, async () => {
  await harness.admin.delete(relayResource, at);
  await eventually("it is gone", async () =>
    (await harness.admin.get(relayResource, at)) === undefined ? true : undefined,
  );
  for (const namespace of watched)
    assert.equal(await harness.admin.get(roles, { namespace, name: "kubearmor-relay:tenant:relay" }), undefined);
});

test("no request of all these was of the cluster, of another namespace, or refused", async () => {
  const uses = await usesOf(harness.plane.auditLog, user);
  assert.ok(uses.length > 50, `${uses.length} requests`);
  const outside = uses.filter(({ namespace }) => !watched.some((each) => each === namespace));
  assert.deepEqual(outside, []);
  assert.deepEqual(
    uses.filter(({ code }) => code === 401 || code === 403),
    [],
  );
  const reviews = uses.filter(({ resource }) => resource.includes("accessreview") || resource.includes("rulesreview"));
  assert.deepEqual(reviews, []);
});

test(
  "a switch to no rights in the cluster: a relay of the time before is deleted, and a Warning names what stays",
  limit,
  async () => {
    const switched = { namespace: "switched", name: "relay" };
    const name = "kubearmor-relay:switched:relay";
    const namespaces = [switched.namespace];
    await harness.createNamespace(switched.namespace);
    await harness.createRelay(switched.namespace, switched.name, {});
    {
      await using _before = await harness.start({ namespaces });
      await untilCondition(harness.admin, switched, "Applied", "True");
    }
    await using _after = await harness.start({ namespaces, clusterRights: false });
    await untilCondition(harness.admin, switched, "Accepted", "False", "ClusterRightsNeeded");
    await harness.admin.delete(relayResource, switched);
    await eventually("it is gone", async () =>
      (await harness.admin.get(relayResource, switched)) === undefined ? true : undefined,
    );
    assert.ok(await harness.admin.get(clusterRoleBindings, { name }));
    const event = await eventually("an Event tells", async () => {
      const all = await harness.admin.list(events, { namespace: switched.namespace });
      return all.find(({ reason }) => reason === "CleanupAbandoned");
    });
    assert.match(String(event["note"]), new RegExp(`ClusterRole ${name}, ClusterRoleBinding ${name}`));
  },
);
