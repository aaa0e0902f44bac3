import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ControlPlane, startControlPlane } from "../../hack/testbed/control-plane.ts";
import { createKubeClient } from "../../lib/kube/client.ts";
import { loadCluster } from "../../lib/kube/credentials.ts";
import { clusterRoles, configMaps, deployments, namespaces } from "../../lib/kube/resources.ts";
import type { KubeClient, KubeObject } from "../../lib/kube/types.ts";
import { type Log, errorText, silentLog } from "../../lib/process/log.ts";
import { apiVersion, relayKind, relayResource } from "../../operator/api/relay.ts";
import { ownerLabels, managedByLabel } from "../../operator/desired/names.ts";
import type { Operator } from "../../operator/operator.ts";
import { type Permission, clusterPermissions } from "../../operator/permissions.ts";
import { type Spec, conditionOf, eventually } from "./operator-harness.ts";
import { grant, startAs, usesOf } from "./operator-rights-rig.ts";

const crds = [new URL("../../crds/kubearmorrelays.yaml", import.meta.url).pathname];
/** As on OpenShift. */
const enforcement = "--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement";

let plane: ControlPlane;
let admin: KubeClient;

const opened = new AsyncDisposableStack();

before(async () => {
  plane = opened.use(await startControlPlane({ crds, audit: true, apiserverArgs: [enforcement] }));
  const cluster = loadCluster({ kubeconfig: plane.kubeconfig });
  admin = opened.use(createKubeClient(cluster, { log: silentLog, userAgent: "test/0" }));
});

after(() => opened[Symbol.asyncDispose]());

/** A right that is taken away, and how it is missed. */
interface Missing {
  readonly resource: string;
  readonly verbs: readonly string[];
  readonly spec?: Spec;
  /** After the spec was applied: this needs the right. */
  readonly change?: Spec;
  /** What the operator says about it, in the relay's conditions, at readyz or in its log. */
  readonly told: RegExp;
  /** The relay's other objects cannot be written either. */
  readonly holdsUp?: true;
}

const follow = ["list", "watch"];
const write = ["create", "patch"];
const elsewhere: Spec = { agents: { namespaces: ["default"] }, enrichment: { remoteHost: false } };
const optional: Spec = { replicas: 2, networkPolicy: { enabled: true } };
/** Without it the names of a relay are taken for free until the server says otherwise. */
const suspended: Spec = { suspend: true };

function cannot(verb: string, resource: string): RegExp {
  return new RegExp(String.raw`cannot ${verb} resource \\?"${resource}\\?"`);
}

/** The rule of each kind of a relay's objects, verb by verb. */
function ofKind(resource: string, spec: Spec, change?: Spec): readonly Missing[] {
  // What is held is what may be granted, so a relay's role may be refused first.
  const grantable = ["configmaps", "services"].includes(resource);
  return [
    { resource, verbs: follow, spec, told: cannot("list", resource) },
    {
      resource,
      verbs: ["get"],
      spec: { ...spec, ...(resource === "deployments" ? {} : suspended) },
      told: grantable ? /cannot get resource|not currently held/ : cannot("get", resource),
      // Nothing is begun beside a Deployment that may be somebody else's.
      holdsUp: true,
    },
    { resource, verbs: write, spec, told: cannot("patch", resource) },
    ...(change === undefined ? [] : [{ resource, verbs: ["delete"], spec, change, told: cannot("delete", resource) }]),
  ];
}

const matrix: readonly Missing[] = [
  { resource: "kubearmorrelays", verbs: follow, told: cannot("list", "kubearmorrelays"), holdsUp: true },
  { resource: "kubearmorrelays", verbs: ["patch"], told: cannot("patch", "kubearmorrelays"), holdsUp: true },
  { resource: "kubearmorrelays/status", verbs: ["patch"], told: cannot("patch", "kubearmorrelays/status") },
  { resource: "kubearmorrelays/finalizers", verbs: ["update"], told: /blockOwnerDeletion/, holdsUp: true },
  ...ofKind("serviceaccounts", {}),
  ...ofKind("configmaps", {}),
  ...ofKind("services", { service: { name: "a" } }, { service: { name: "b" } }),
  ...ofKind("deployments", {}),
  ...ofKind("poddisruptionbudgets", optional, { replicas: 1 }),
  ...ofKind("networkpolicies", optional, { networkPolicy: { enabled: false } }),
  ...ofKind("roles", elsewhere, { agents: { namespaces: ["kube-public"] } }),
  ...ofKind("rolebindings", elsewhere, { agents: { namespaces: ["kube-public"] } }),
  ...ofKind("clusterroles", {}, elsewhere),
  ...ofKind("clusterrolebindings", {}, elsewhere),
  { resource: "pods", verbs: follow, told: cannot("list", "pods") },
  { resource: "leases", verbs: ["get", "create", "update"], told: /not currently held:.*leases/s },
  { resource: "events", verbs: write, told: cannot("create", "events") },
];

test("the matrix takes away every right but one that only leftovers need", () => {
  const tried = new Set(matrix.flatMap(({ resource, verbs }) => verbs.map((verb) => `${verb} ${resource}`)));
  const untried = clusterPermissions.flatMap(({ resource, verbs, granted = [], checked = [] }) =>
    [...verbs, ...granted, ...checked].map((verb) => `${verb} ${resource}`).filter((each) => !tried.has(each)),
  );
  assert.deepEqual(untried, ["get kubearmorrelays"]);
});

function without(resource: string, verbs: readonly string[]): readonly Permission[] {
  const keep = (all: readonly string[] = []) => all.filter((verb) => !verbs.includes(verb));
  return clusterPermissions.map((each) =>
    each.resource === resource
      ? { ...each, verbs: keep(each.verbs), granted: keep(each.granted), checked: keep(each.checked) }
      : each,
  );
}

/** Waiting is most of it, so the cases run side by side, each with a user, a role, a namespace and an operator of its own. */
describe("an operator without one of its rights", { concurrency: true, timeout: 240_000 }, () => {
  for (const [index, missing] of matrix.entries()) {
    const { resource, verbs, spec = {}, change, told } = missing;
    test(`${verbs.join(", ")} ${resource}: says so, does all else, and heals when it is given`, async () => {
      const user = `matrix-${index}`;
      const namespace = user;
      const at = { namespace, name: "relay" };
      await grant(admin, user, without(resource, verbs));
      await createRelay(at, spec);
      const lines: string[] = [];
      await using operator = await startAs(
        plane.kubeconfig,
        user,
        { namespaces: [namespace], concurrency: 1, recheckBlockedMs: 2_000 },
        logInto(lines),
      );
      if (change !== undefined) {
        await untilApplied(at);
        await admin.mergePatch(relayResource, at, { spec: change });
      }
      await eventually(`it says ${told.source}`, async () => {
        const said = [...conditionsText(await admin.get(relayResource, at)), ...lines, await readyzOf(operator)];
        return said.some((text) => told.test(text)) ? true : undefined;
      });
      if (missing.holdsUp !== true) await untilOthersExist(at, resource);
      await grant(admin, user, clusterPermissions);
      if (resource === "events") await untilEvent(at);
      else await untilApplied(at);
      assert.equal(await readyzOf(operator), "ok\n");
    });
  }
});

test("get kubearmorrelays: a leftover of a relay is swept once it can be told that the relay is gone", async () => {
  const user = "sweeper";
  const gone = { namespace: user, name: "gone" };
  await admin.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: user } });
  const labels = { ...managedByLabel, [ownerLabels.namespace]: gone.namespace, [ownerLabels.name]: gone.name };
  const name = `kubearmor-relay:${gone.namespace}:${gone.name}`;
  const leftover = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name, labels } };
  await admin.create(clusterRoles, leftover);
  await grant(admin, user, without("kubearmorrelays", ["get"]));
  const lines: string[] = [];
  await using _ = await startAs(plane.kubeconfig, user, { namespaces: [user] }, logInto(lines));
  const told = cannot("get", "kubearmorrelays");
  await eventually("it says so", () => Promise.resolve(lines.some((line) => told.test(line)) ? true : undefined));
  assert.ok(await admin.get(clusterRoles, { name }));
  await grant(admin, user, clusterPermissions);
  await eventually("it is swept", async () =>
    (await admin.get(clusterRoles, { name })) === undefined ? true : undefined,
  );
});

test("leases: an operator that cannot stand for election says so, writes nothing, and leads once it can", async () => {
  const user = "candidate";
  const at = { namespace: user, name: "relay" };
  await grant(admin, user, without("leases", ["get", "create", "update"]));
  await createRelay(at, {});
  const lines: string[] = [];
  const options = { namespaces: [user], leaderElect: true, leaseNamespace: user };
  await using operator = await startAs(plane.kubeconfig, user, options, logInto(lines));
  const told = cannot("get", "leases");
  await eventually("it says so", () => Promise.resolve(lines.some((line) => told.test(line)) ? true : undefined));
  assert.deepEqual((await admin.get(relayResource, at))?.["status"], { observedGeneration: -1 });
  await grant(admin, user, clusterPermissions);
  await operator.working;
  await untilApplied(at);
});

test("pods list and watch taken away from a running operator: granting them is refused, said, and not tried again hot", async () => {
  const user = "escalating";
  const at = { namespace: user, name: "relay" };
  await grant(admin, user, clusterPermissions);
  await using operator = await startAs(plane.kubeconfig, user, { namespaces: [user] });
  await operator.working;
  await grant(admin, user, without("pods", follow));
  await createRelay(at, {});
  const relay = await eventually("it says so", async () => {
    const found = await admin.get(relayResource, at);
    return conditionOf(found, "Applied")?.status === "False" ? found : undefined;
  });
  const applied = conditionOf(relay, "Applied");
  assert.equal(applied?.reason, "PermissionDenied");
  assert.match(applied.message, /not currently held:.*"pods".*"list".*"watch"/s);
  assert.equal(conditionOf(relay, "Stalled")?.reason, "PermissionDenied");
  assert.ok(await admin.get(configMaps, at), "all else is written");
  assert.ok(await admin.get(deployments, at));
  await admin.mergePatch(configMaps, at, { metadata: { annotations: { theirs: "1" } } });
  const writes = (await usesOf(plane.auditLog, user)).filter((use) => use.resource === "clusterroles");
  const refused = writes.filter(({ verb, code }) => verb === "patch" && code === 403);
  // Passes follow the first ones' own objects; none is a retry, as those would be without end.
  assert.ok(refused.length >= 1 && refused.length <= 5, `${refused.length} tries`);
  const metrics = await (await fetch(`http://127.0.0.1:${operator.httpPort}/metrics`)).text();
  assert.doesNotMatch(metrics, /^workqueue_retries_total\{[^}]*\} [1-9]/m);
  assert.match(metrics, /^controller_runtime_reconcile_total\{[^}]*result="requeue_after"\} [1-9]/m);
});

async function createRelay(at: { readonly namespace: string; readonly name: string }, spec: Spec): Promise<void> {
  await admin.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: at.namespace } });
  await admin.create(relayResource, { apiVersion, kind: relayKind, metadata: at, spec });
}

function untilApplied(at: { readonly namespace: string; readonly name: string }): Promise<boolean> {
  return eventually(`${at.namespace} is applied`, async () => {
    const applied = conditionOf(await admin.get(relayResource, at), "Applied");
    const isSuspended = applied?.reason === "Suspended";
    return applied?.status === "True" || isSuspended ? true : undefined;
  });
}

async function untilOthersExist(at: { readonly namespace: string; readonly name: string }, resource: string) {
  const others = [deployments, configMaps].filter(({ plural }) => plural !== resource);
  for (const other of others) await eventually(`the ${other.kind} exists`, () => admin.get(other, at));
}

function untilEvent({ namespace }: { readonly namespace: string }): Promise<boolean> {
  const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
  return eventually("an Event is told", async () => {
    // Only what happens anew is told: here a repair.
    await admin.delete(configMaps, { namespace, name: "relay" });
    const { items } = (await admin.raw("GET", path)) as { readonly items: readonly KubeObject[] };
    return items.some((event) => event["reportingController"] === "operator.kubearmor.com/relay-operator")
      ? true
      : undefined;
  });
}

function conditionsText(relay: KubeObject | undefined): readonly string[] {
  const applied = conditionOf(relay, "Applied");
  return applied?.reason === "PermissionDenied" ? [applied.message] : [];
}

async function readyzOf(operator: Operator): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${operator.httpPort}/readyz`)).text();
}

function logInto(lines: string[]): Log {
  const log: Log = {
    error: (message, fields) => void lines.push(textOf(message, fields)),
    warn: (message, fields) => void lines.push(textOf(message, fields)),
    info() {},
    debug() {},
    with: () => log,
  };
  return log;
}

function textOf(message: string, fields: Readonly<Record<string, unknown>> = {}): string {
  return `${message} ${errorText(fields["error"])}`;
}
