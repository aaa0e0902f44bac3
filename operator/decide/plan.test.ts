import assert from "node:assert/strict";
import { test } from "node:test";
import { clusterRoles, deployments, roleBindings, roles, services } from "../../lib/kube/resources.ts";
import type { KubeObject, ObjectMeta, Resource } from "../../lib/kube/types.ts";
import type { Relay } from "../api/relay.ts";
import { deployment } from "../desired/deployment.ts";
import { metricsService } from "../desired/metrics-service.ts";
import { desiredObjects } from "../desired/objects.ts";
import { serviceAccount } from "../desired/service-account.ts";
import { service } from "../desired/service.ts";
import { clusterRoleOf, deploymentOf, relayOf } from "../testing/samples.ts";
import { adoptAnnotation } from "./adoption.ts";
import { selectorOf } from "./adoption-selector.ts";
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
const managed = { "app.kubernetes.io/managed-by": "kubearmor-relay-operator" };
const record = { managedFields: [{ manager: "us", operation: "Apply" }] };
const writtenByUs = { ...record, labels: managed };
const ownerLabels = (namespace: string, name = "kubearmor-relay") => ({
  labels: {
    "operator.kubearmor.com/owner-namespace": namespace,
    "operator.kubearmor.com/owner-name": name,
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
  "in our record, as what was not taken over in the end, and without our label: refuse": [
    liveOf(services, { ...record, labels: { "app.kubernetes.io/managed-by": "Helm" } }),
    false,
    "foreign",
  ],
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
  "in another namespace, where our record is all that says whose it is: write": [
    liveOf(roles, { ...record, namespace: "agents" }),
    false,
    "write",
  ],
  "a cluster-scoped object that a predecessor left behind: take it over": [
    liveOf(clusterRoles, ownerLabels("kubearmor")),
    false,
    "write",
  ],
  "a cluster-scoped object in the name of another relay of the namespace: refuse": [
    liveOf(clusterRoles, ownerLabels("kubearmor", "other")),
    false,
    "foreign",
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

test("planOf() deletes bindings before the roles that they bind to, and tells roles of two namespaces apart", () => {
  const wished = relayOf({ agents: { namespaces: ["a"] }, enrichment: { remoteHost: false } });
  const pairs = desiredObjects(wished, { defaultImage: "relay" }).map((desired) => ({ desired, live: undefined }));
  const { labels } = ownerLabels("kubearmor");
  const elsewhere = (resource: Resource, namespace: string) => {
    return {
      resource,
      object: liveOf(resource, { namespace, name: "kubearmor-relay:kubearmor:kubearmor-relay", labels }),
    };
  };
  const owned = [
    elsewhere(roles, "a"),
    elsewhere(roles, "b"),
    elsewhere(roleBindings, "a"),
    elsewhere(roleBindings, "b"),
  ];
  const { deletes } = planOf({ relay: wished, pairs, owned, wanting: [] }, { fieldManager, differences: () => [] });
  assert.deepEqual(
    deletes.map(({ resource, object }) => `${resource.kind} ${object.metadata.namespace ?? ""}`),
    ["RoleBinding b", "Role b"],
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

test("planOf() leaves no Service to an older relay but the one that clients use", () => {
  const pairs = [{ desired: metricsService(relay), live: undefined }];
  const { writes, claimed } = planOf(
    { relay, pairs, owned: [], wanting: [olderRelay, relay] },
    { fieldManager, differences: () => [] },
  );
  assert.deepEqual([writes.length, claimed], [1, []]);
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
    // Whatever comes after it.
    const pairs = [
      { desired, live },
      { desired: service(relay), live: undefined },
    ];
    return planOf({ relay, pairs, owned: [], wanting: [] }, { fieldManager, differences: () => [] }).isRunning;
  };
  assert.ok(isRunning(owner("uid-1")));
  assert.ok(!isRunning(writtenByUs), "nothing says for which relay");
  assert.ok(!isRunning({}));
  assert.ok(!planFor(undefined, false).isRunning);
});

const asking = relayOf({}, { metadata: { ...relay.metadata, annotations: { [adoptAnnotation]: "true" } } });
const ours = deployment(asking, { defaultImage: "relay" });
const more = { "kubearmor-app": "kubearmor-relay", tier: "security" };

/** With the selector that somebody else made it with, and the numbers of a sample. */
function deploymentBy(metadata: Partial<ObjectMeta>, sample = deploymentOf()): KubeObject {
  const template = { metadata: { labels: more }, spec: { serviceAccountName: "kubearmor-relay" } };
  const spec = { ...(sample["spec"] as object), selector: { matchLabels: more }, template };
  return { ...sample, metadata: { ...sample.metadata, ...metadata }, spec };
}

const theirDeployment = deploymentBy({});
const ourDeployment = deploymentBy(owner("uid-1"));

/** A plan for somebody else's Service and ServiceAccount and this Deployment. */
function adoptionPlan(
  live: KubeObject | undefined,
  isSame: boolean,
  wanting: readonly Relay[] = [],
  by: Relay = asking,
): Plan {
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "kubearmor-relay" } };
  const spec = { selector: { "kubearmor-app": "kubearmor-relay" } };
  const pairs = [
    { desired: serviceAccount(asking), live: live === undefined ? undefined : account },
    { desired: service(asking), live: { ...liveOf(services, {}), spec } },
    { desired: ours, live },
  ];
  const differences = (found: KubeObject) => (isSame || found.kind !== "Deployment" ? [] : [".spec"]);
  return planOf({ relay: by, pairs, owned: [], wanting }, { fieldManager, differences });
}

const both = ["ServiceAccount", "Service"];

const adoptions: Readonly<
  Record<
    string,
    readonly [live: KubeObject | undefined, isSame: boolean, adopted: readonly string[], later: readonly string[]]
  >
> = {
  "their Deployment first": [theirDeployment, true, ["Deployment"], both],
  "not the Service while there is no Deployment of ours": [undefined, true, [], ["Service"]],
  "nothing more while the Deployment is to be written": [ourDeployment, false, [], both],
  "nothing more while the pods do not serve": [
    deploymentBy(owner("uid-1"), deploymentOf({ available: 0 })),
    true,
    [],
    both,
  ],
  "nothing more while there are no pods": [deploymentBy(owner("uid-1"), deploymentOf({ wanted: 0 })), true, [], both],
  "what theirs needed when ours serve": [ourDeployment, true, both, []],
};

for (const [sentence, [live, isSame, adopted, later]] of Object.entries(adoptions)) {
  test(`planOf() takes over what the annotation asks for: ${sentence}`, () => {
    const { writes, adoptLater, foreign } = adoptionPlan(live, isSame);
    const found = writes.filter(({ adopts }) => adopts).map(({ desired }) => desired.resource.kind);
    assert.deepEqual(found, adopted);
    assert.deepEqual(
      adoptLater.map(({ resource }) => resource.kind),
      later,
    );
    assert.deepEqual(foreign, []);
  });
}

test("planOf() writes a Deployment with the selector that it has, when it is taken over and ever after", () => {
  for (const live of [theirDeployment, ourDeployment]) {
    const write = adoptionPlan(live, false).writes.find(({ desired }) => desired.resource === deployments);
    assert.ok(write);
    assert.deepEqual(selectorOf(write.desired.object), { matchLabels: more });
  }
});

test("planOf() takes over nothing without the annotation, and says of nothing that it could not", () => {
  const { writes, adoptLater, foreign } = adoptionPlan(theirDeployment, true, [], relay);
  assert.deepEqual([writes, adoptLater], [[], []]);
  assert.deepEqual(
    foreign.map(({ refusal }) => refusal),
    [undefined, undefined, undefined],
  );
});

test("planOf() takes over nothing that is no relay's, whatever the annotation asks for", () => {
  const clusterRole = { desired: clusterRoleOf(asking), live: liveOf(clusterRoles, {}) };
  const web = { matchLabels: { app: "web" } };
  const unrelated = { ...theirDeployment, spec: { selector: web, template: { metadata: { labels: { app: "web" } } } } };
  const pairs = [
    ...desiredObjects(asking, { defaultImage: "relay" })
      .filter(({ resource }) => resource !== deployments)
      .map((desired) => ({ desired, live: liveOf(desired.resource, { name: desired.object.metadata.name }) })),
    clusterRole,
    { desired: ours, live: unrelated },
  ];
  const { writes, adoptLater, foreign } = planOf(
    { relay: asking, pairs, owned: [], wanting: [] },
    { fieldManager, differences: () => [".spec"] },
  );
  assert.deepEqual([writes, adoptLater], [[], []]);
  assert.equal(foreign.length, pairs.length);
  assert.ok(foreign.every(({ refusal }) => refusal !== undefined));
});

test("planOf() leaves somebody else's Service to the older relay that wants it too", () => {
  const { writes, claimed } = adoptionPlan(ourDeployment, true, [olderRelay, asking]);
  assert.deepEqual(
    writes.map(({ desired }) => desired.resource.kind),
    ["ServiceAccount"],
  );
  assert.equal(claimed.length, 1);
});
