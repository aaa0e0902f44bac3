import assert from "node:assert/strict";
import { test } from "node:test";
import { clusterRoles, deployments, services } from "../../lib/kube/resources.ts";
import type { KubeObject, ObjectMeta, Resource } from "../../lib/kube/types.ts";
import type { Relay } from "../api/relay.ts";
import { service } from "../desired/service.ts";
import { clusterRoleOf, deploymentOf, relayOf } from "../testing/samples.ts";
import { adoptAnnotation } from "./adoption.ts";
import { type Plan, planOf } from "./plan.ts";

const relay = relayOf();
const fieldManager = "us";

function planFor(
  live: KubeObject | undefined,
  isSame: boolean,
  owned: readonly KubeObject[] = [],
  wanting: readonly Relay[] = [],
): Plan {
  const desired = live?.kind === "ClusterRole" ? clusterRoleOf(relay) : service(relay);
  const children = owned.map((object) => ({ resource: object.kind === "Service" ? services : clusterRoles, object }));
  return planOf(
    { relay, pairs: [{ desired, live }], owned: children, wanting },
    { fieldManager, differences: () => (isSame ? [] : [".spec"]) },
  );
}

function liveOf(resource: Resource, metadata: Partial<ObjectMeta>): KubeObject {
  const name = resource.namespaced ? "kubearmor" : "kubearmor-relay:kubearmor:kubearmor-relay";
  const namespace = resource.namespaced ? { namespace: "kubearmor" } : {};
  return { apiVersion: "v1", kind: resource.kind, metadata: { name, ...namespace, ...metadata } };
}

const owner = (uid: string, name = "kubearmor-relay", kind = "KubeArmorRelay") => ({
  ownerReferences: [{ apiVersion: "operator.kubearmor.com/v1alpha1", kind, name, uid, controller: true }],
});
const writtenByUs = { managedFields: [{ manager: "us", operation: "Apply" }] };
const ownerLabels = (namespace: string) => ({
  labels: {
    "operator.kubearmor.com/owner-namespace": namespace,
    "operator.kubearmor.com/owner-name": "kubearmor-relay",
    "operator.kubearmor.com/owner-uid": "uid-0",
  },
});

type Verdict = "write" | "leave alone" | "foreign" | "leaving";

const cases: Readonly<Record<string, readonly [KubeObject | undefined, isSame: boolean, Verdict]>> = {
  "there is none: write": [undefined, false, "write"],
  "ours, and it differs: write": [liveOf(services, owner("uid-1")), false, "write"],
  "ours, and it does not differ: nothing": [liveOf(services, owner("uid-1")), true, "leave alone"],
  "somebody else's: refuse": [liveOf(services, {}), false, "foreign"],
  "somebody else's that happens to be as we want it: refuse all the same": [liveOf(services, {}), true, "foreign"],
  "another relay's: refuse": [liveOf(services, owner("uid-2", "other")), false, "foreign"],
  "another controller's: refuse": [liveOf(services, owner("uid-2", "kubearmor-relay", "Deployment")), false, "foreign"],
  "a predecessor's of the same name: wait for the garbage collector": [
    liveOf(services, owner("uid-0")),
    false,
    "leaving",
  ],
  "ours, and being deleted: wait": [
    liveOf(services, { ...owner("uid-1"), deletionTimestamp: "2026-01-01T00:00:00Z" }),
    true,
    "leaving",
  ],
  "ours, but somebody took the owner reference off: write": [liveOf(services, writtenByUs), false, "write"],
  "written by us for another relay, and without an owner: refuse": [
    liveOf(services, { ...writtenByUs, labels: { "operator.kubearmor.com/relay": "other" } }),
    false,
    "foreign",
  ],
  "written by us for this relay, and without an owner: write": [
    liveOf(services, { ...writtenByUs, labels: { "operator.kubearmor.com/relay": "kubearmor-relay" } }),
    false,
    "write",
  ],
  "a cluster-scoped object that a predecessor left behind: take it over": [
    liveOf(clusterRoles, ownerLabels("kubearmor")),
    false,
    "write",
  ],
  "a cluster-scoped object in another relay's name: refuse": [
    liveOf(clusterRoles, ownerLabels("other")),
    false,
    "foreign",
  ],
};

for (const [sentence, [live, isSame, verdict]] of Object.entries(cases)) {
  test(`planOf(): ${sentence}`, () => {
    const { writes, foreign, leaving, deletes } = planFor(live, isSame);
    const found: Readonly<Record<Verdict, number>> = {
      write: writes.length,
      foreign: foreign.length,
      leaving: leaving.length,
      "leave alone": 1 - writes.length - foreign.length - leaving.length,
    };
    assert.equal(found[verdict], 1);
    assert.deepEqual(deletes, []);
  });
}

const named = (name: string, metadata: Partial<ObjectMeta>) => liveOf(services, { ...metadata, name });

test("planOf() deletes what is ours and no longer wanted, and nothing else", () => {
  const { deletes } = planFor(undefined, true, [
    named("kubearmor", owner("uid-1")),
    named("old", owner("uid-1")),
    named("old-going", { ...owner("uid-1"), deletionTimestamp: "2026-01-01T00:00:00Z" }),
    named("predecessor", owner("uid-0")),
    named("labelled-by-somebody", {}),
  ]);
  assert.deepEqual(
    deletes.map(({ object }) => object.metadata.name),
    ["old"],
  );
});

const olderRelay = relayOf({}, { metadata: { ...relay.metadata, name: "older", uid: "uid-0" } });

test("planOf() leaves a Service that nobody has yet to the older relay that wants it too", () => {
  for (const live of [undefined, liveOf(services, writtenByUs)]) {
    const { writes, claimed } = planFor(live, false, [], [olderRelay, relay]);
    assert.deepEqual(writes, []);
    assert.deepEqual(
      claimed.map(({ by }) => by.metadata.name),
      ["older"],
    );
  }
});

test("planOf() does not leave a Service that is the relay's to an older one", () => {
  const labels = { "operator.kubearmor.com/relay": "kubearmor-relay" };
  for (const metadata of [owner("uid-1"), { ...writtenByUs, labels }]) {
    const { writes, claimed } = planFor(liveOf(services, metadata), false, [], [olderRelay, relay]);
    assert.equal(writes.length, 1);
    assert.deepEqual(claimed, []);
  }
});

test("planOf() tells a relay that has a Deployment of its own", () => {
  const desired = { resource: deployments, object: deploymentOf() };
  const isRunning = (metadata: Partial<ObjectMeta>) => {
    const live = { ...desired.object, metadata: { ...desired.object.metadata, ...metadata } };
    const input = { relay, pairs: [{ desired, live }], owned: [], wanting: [] };
    return planOf(input, { fieldManager, differences: () => [] }).isRunning;
  };
  assert.ok(isRunning(owner("uid-1")));
  assert.ok(!isRunning({}));
  assert.ok(!planFor(undefined, false).isRunning);
});

const asking = relayOf({}, { metadata: { ...relay.metadata, annotations: { [adoptAnnotation]: "true" } } });
const theirDeployment: KubeObject = { ...deploymentOf(), metadata: { ...deploymentOf().metadata, managedFields: [] } };
const ourDeployment: KubeObject = { ...theirDeployment, metadata: { ...theirDeployment.metadata, ...owner("uid-1") } };
const progressing = { ...ourDeployment, status: { ...(ourDeployment["status"] as object), availableReplicas: 0 } };

/** A plan for somebody else's Service and this Deployment. */
function adoptionPlan(live: KubeObject | undefined, isSame: boolean, wanting: readonly Relay[] = []): Plan {
  const pairs = [
    { desired: service(asking), live: liveOf(services, {}) },
    { desired: { resource: deployments, object: deploymentOf() }, live },
  ];
  const differences = () => (isSame ? [] : [".spec"]);
  return planOf({ relay: asking, pairs, owned: [], wanting }, { fieldManager, differences });
}

const adoptions: Readonly<
  Record<string, readonly [live: KubeObject | undefined, isSame: boolean, adopted: readonly string[]]>
> = {
  "their Deployment first": [theirDeployment, true, ["Deployment"]],
  "not the Service while there is no Deployment of ours": [undefined, true, []],
  "not the Service while the Deployment is to be written": [ourDeployment, false, []],
  "not the Service while the pods do not serve": [progressing, true, []],
  "the Service when the pods serve": [ourDeployment, true, ["Service"]],
};

for (const [sentence, [live, isSame, adopted]] of Object.entries(adoptions)) {
  test(`planOf() takes over what the annotation asks for: ${sentence}`, () => {
    const { writes, adoptLater, foreign } = adoptionPlan(live, isSame);
    const found = writes.filter(({ adopts }) => adopts).map(({ desired }) => desired.resource.kind);
    assert.deepEqual(found, adopted);
    assert.equal(adoptLater.length, adopted.includes("Service") ? 0 : 1);
    assert.deepEqual(foreign, []);
  });
}

test("planOf() leaves somebody else's Service to the older relay that wants it too", () => {
  const { writes, adoptLater, claimed } = adoptionPlan(ourDeployment, true, [olderRelay, asking]);
  assert.deepEqual([writes, adoptLater], [[], []]);
  assert.equal(claimed.length, 1);
});
