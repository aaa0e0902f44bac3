import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  clusterRoleBindings,
  clusterRoles,
  configMaps,
  deployments,
  events,
  leases,
  namespaces,
  networkPolicies,
  podDisruptionBudgets,
  pods,
  roles,
  services,
} from "../../lib/kube/resources.ts";
import type { ObjectName, Resource } from "../../lib/kube/types.ts";
import { relayResource } from "../../operator/api/relay.ts";
import { adoptAnnotation } from "../../operator/decide/adoption.ts";
import { managedByLabel, ownerLabels } from "../../operator/desired/names.ts";
import { type Permission, clusterPermissions, leaseName, ownNamespacePermissions } from "../../operator/permissions.ts";
import { type Harness, type Spec, eventually, startHarness, statusOf, untilCondition } from "./operator-harness.ts";
import { type Use, usesOf } from "./operator-rights-rig.ts";

const user = "system:serviceaccount:kubearmor-relay-system:kubearmor-relay-operator";
const foreign = join(import.meta.dirname, "../fixtures/foreign-relay/objects.yaml");
const at = { namespace: "rights", name: "relay" };
const limit = { timeout: 120_000 };

let harness: Harness;

before(async () => {
  harness = await startHarness();
  for (const name of ["rights", "agents-a", "agents-b"]) await harness.createNamespace(name);
});

after(() => harness[Symbol.asyncDispose]());

function change(spec: Spec): Promise<unknown> {
  return harness.admin.mergePatch(relayResource, at, { spec });
}

async function untilGone(resource: Resource, name: ObjectName): Promise<void> {
  await eventually(`${resource.kind} ${name.name} is gone`, async () =>
    (await harness.admin.get(resource, name)) === undefined ? true : undefined,
  );
}

test("leftovers of a relay whose finalizer was taken off, and relays that are only looked at", limit, async () => {
  const { admin } = harness;
  const name = "kubearmor-relay:rights:gone";
  const labels = { ...managedByLabel, [ownerLabels.namespace]: "rights", [ownerLabels.name]: "gone" };
  const group = "rbac.authorization.k8s.io";
  const metadata = { name, labels };
  const roleRef = { apiGroup: group, kind: "ClusterRole", name };
  await admin.create(clusterRoles, { apiVersion: `${group}/v1`, kind: "ClusterRole", metadata });
  await admin.create(clusterRoleBindings, { apiVersion: `${group}/v1`, kind: "ClusterRoleBinding", metadata, roleRef });
  const optional: Spec = { replicas: 2, networkPolicy: { enabled: true } };
  await harness.createRelay("rights", "looked-at", { ...optional, suspend: true, service: { name: "looked-at" } });
  await using _ = await harness.start();
  await untilGone(clusterRoles, { name });
  await untilGone(clusterRoleBindings, { name });
  await untilCondition(admin, { namespace: "rights", name: "looked-at" }, "Applied", "False", "Suspended");
});

test(
  "every feature, without election: create, toggle, scale, rename, roles elsewhere, drift, suspend",
  limit,
  async () => {
    const { admin } = harness;
    await using operator = await harness.start();
    await operator.working;
    await harness.createRelay(at.namespace, at.name, { service: { name: "before" } });
    await untilCondition(admin, at, "Ready", "True");
    await change({ stdout: { alerts: true, logs: true, messages: true } });
    await eventually("stdout is on", async () =>
      statusOf(await admin.get(relayResource, at)).stdout === "alerts,logs,messages" ? true : undefined,
    );
    await change({ replicas: 2, networkPolicy: { enabled: true }, service: { name: "after" } });
    await untilGone(services, { ...at, name: "before" });
    await untilCondition(admin, at, "Ready", "True");
    await change({ replicas: 1, networkPolicy: { enabled: false } });
    await untilGone(podDisruptionBudgets, at);
    await untilGone(networkPolicies, at);
    await change({ agents: { namespaces: ["agents-a"] }, enrichment: { remoteHost: false } });
    const role = "kubearmor-relay:rights:relay";
    await untilGone(clusterRoles, { name: role });
    await change({ agents: { namespaces: ["agents-b"] } });
    await untilGone(roles, { namespace: "agents-a", name: role });
    await untilCondition(admin, at, "Ready", "True");
    // Twice the same, which is one Event and its series.
    for (const value of ["1", "2"]) {
      await admin.mergePatch(configMaps, at, { data: { ENABLE_STDOUT_LOGS: value } });
      await eventually("it is put back", async () => {
        const data = (await admin.get(configMaps, at))?.["data"] as Readonly<Record<string, string>> | undefined;
        return data?.["ENABLE_STDOUT_LOGS"] === "true" ? true : undefined;
      });
    }
    await admin.delete(deployments, at);
    await eventually("it is made anew", () => admin.get(deployments, at));
    await untilCondition(admin, at, "Ready", "True");
    await change({ suspend: true });
    await untilCondition(admin, at, "Applied", "True");
    await change({ suspend: false });
  },
);

test("entries of pods that are gone, and objects of somebody else that are adopted", limit, async () => {
  const { admin, plane } = harness;
  await using operator = await harness.start();
  await operator.working;
  await untilCondition(admin, at, "Ready", "True");
  const labelSelector = "operator.kubearmor.com/relay=relay";
  const [pod] = await admin.list(pods, { namespace: at.namespace, labelSelector });
  assert.ok(pod);
  await admin.delete(pods, pod.metadata);
  await eventually("its entry is removed", async () => {
    const entries = statusOf(await admin.get(relayResource, at)).relays ?? [];
    return entries.length > 0 && entries.every((entry) => entry.pod !== pod.metadata.name) ? true : undefined;
  });
  // Its pods do not meet the harness's policy.
  await admin.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "adopting" } });
  await plane.kubectl(["-n", "adopting", "apply", "-f", foreign]);
  const theirs = { namespace: "adopting", name: "kubearmor-relay" };
  await harness.createRelay(theirs.namespace, theirs.name, {});
  await untilCondition(admin, theirs, "Applied", "False", "NameConflict");
  await admin.mergePatch(relayResource, theirs, { metadata: { annotations: { [adoptAnnotation]: "true" } } });
  await untilCondition(admin, theirs, "Ready", "True");
});

test("with election: a relay is deleted, and the Lease is given back", limit, async () => {
  const { admin } = harness;
  await using operator = await harness.start({ leaderElect: true });
  await operator.working;
  await admin.delete(relayResource, at);
  await untilGone(relayResource, at);
  await eventually("there is an Event", async () => ((await admin.list(events, at)).length > 0 ? true : undefined));
  assert.ok(await admin.get(leases, { namespace: "kubearmor-relay-system", name: leaseName }));
});

/** `verb group/resource`, and the namespace and name where the right is limited to those. */
function wantedOf({ group, resource, verbs, names = [] }: Permission, namespace = ""): readonly string[] {
  const where = namespace === "" ? "" : ` in ${namespace} ${names.join()}`.trimEnd();
  return verbs.map((verb) => `${verb} ${group}/${resource}${where}`);
}

function usedBy({ verb, group, resource, namespace = "", name = "", code }: Use): readonly string[] {
  const isLease = resource === "leases";
  // The server knows no name of what is being created.
  const where = isLease ? ` in ${namespace} ${verb === "create" ? "" : name}`.trimEnd() : "";
  // An apply of what is not there needs the right to create it too.
  const verbs = verb === "patch" && code === 201 ? ["patch", "create"] : [verb];
  return verbs.map((each) => `${each} ${group}/${resource}${where}`);
}

test("the rights that all this used are exactly those of the table, and nothing was refused", async () => {
  const uses = await usesOf(harness.plane.auditLog, user);
  assert.deepEqual(
    uses.filter(({ code }) => code === 401 || code === 403),
    [],
  );
  const used = new Set(uses.flatMap(usedBy));
  const wanted = [
    ...clusterPermissions.flatMap((permission) => wantedOf(permission)),
    ...ownNamespacePermissions.flatMap((permission) => wantedOf(permission, "kubearmor-relay-system")),
  ];
  assert.deepEqual(
    { unused: wanted.filter((each) => !used.has(each)), unheld: [...used].filter((each) => !wanted.includes(each)) },
    { unused: [], unheld: [] },
  );
});
