import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../lib/kube/errors.ts";
import { networkPolicies, roles } from "../../lib/kube/resources.ts";
import type { KubeClient, KubeObject, ObjectName, Resource } from "../../lib/kube/types.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { type Relay, type RelayStatus, cleanupFinalizer, relayResource } from "../api/relay.ts";
import { adoptAnnotation } from "../decide/adoption.ts";
import type { Reach } from "../decide/reach.ts";
import type { Transition } from "../decide/transitions.ts";
import type { Unseen } from "../decide/unseen.ts";
import { deployment } from "../desired/deployment.ts";
import { type Outcome, TerminalError } from "../engine/outcome.ts";
import { clusterRoleOf, relayOf } from "../testing/samples.ts";
import { createReconciler } from "./reconciler.ts";

const key = "kubearmor/kubearmor-relay";
const startMs = Date.UTC(2026, 0, 1);

interface World {
  readonly relay?: Relay;
  /** What exists, besides the relay. */
  readonly objects?: readonly KubeObject[];
  /** What exists, but carries no label of ours, so that the caches do not have it. */
  readonly unknown?: readonly KubeObject[];
  /** Throws to refuse a request. */
  readonly refuse?: (verb: string, resource: Resource, passing: AbortController) => void;
  readonly covers?: boolean;
  readonly reach?: Reach;
  readonly unseen?: readonly Unseen[];
  /** Told of the kind of every object that is read from the server. */
  readonly asked?: (resource: Resource) => void;
}

interface Seen {
  readonly outcome: Outcome | Error;
  /** Writes as `verb Kind`, in order. */
  readonly writes: readonly string[];
  /** What was sent with patches and deletions. */
  readonly sent: readonly unknown[];
  readonly status: RelayStatus | undefined;
  readonly transitions: readonly Transition[];
}

/** One pass over this world. */
async function pass({
  relay,
  objects = [],
  unknown = [],
  refuse,
  covers = true,
  reach,
  unseen = [],
  asked,
}: World): Promise<Seen> {
  const passing = new AbortController();
  const writes: string[] = [];
  const sent: unknown[] = [];
  const transitions: Transition[] = [];
  let status: RelayStatus | undefined;
  const known = new Map(objects.map((object) => [`${object.kind}/${object.metadata.name}`, object]));
  const find = (resource: Resource, { name }: ObjectName) => known.get(`${resource.kind}/${name}`);
  const write = (verb: string, resource: Resource) => {
    refuse?.(verb, resource, passing);
    writes.push(`${verb} ${resource.kind}`);
  };
  const client: KubeClient = {
    get(resource, name) {
      asked?.(resource);
      return Promise.resolve(
        find(resource, name) ??
          unknown.find(({ kind, metadata: { name: other } }) => kind === resource.kind && other === name.name),
      );
    },
    list: () => Promise.resolve([]),
    raw: () => Promise.resolve({}),
    create: (_resource, object) => Promise.resolve(object),
    replace: (_resource, object) => Promise.resolve(object),
    jsonPatch: () => Promise.reject(new Error("unused")),
    async apply(resource, object, options) {
      await Promise.resolve();
      write(options.subresource ?? "apply", resource);
      if (options.subresource === "status") status = object["status"] as RelayStatus;
      return object;
    },
    async mergePatch(resource, name, patch) {
      await Promise.resolve();
      write("patch", resource);
      sent.push(patch);
      return { apiVersion: "", kind: resource.kind, metadata: name };
    },
    async delete(resource, _name, options) {
      await Promise.resolve();
      write("delete", resource);
      sent.push(options);
      return true;
    },
  };
  const reconcile = createReconciler(
    { defaultImage: "relay", reach },
    {
      view: {
        covers: () => covers,
        get: (resource, name) => (resource === relayResource ? relay : find(resource, name)),
        childrenOf: () =>
          objects
            .filter(({ kind }) => kind === "ClusterRole")
            .map((object) => ({ resource: clusterRoleOf(relayOf()).resource, object })),
        relaysWanting: () => [],
        podsOf: () => [],
        unseen: () => unseen,
      },
      client,
      wrote: (resource, object) => known.set(`${resource.kind}/${object.metadata.name}`, object),
      differences: () => [],
      clock: new FakeClock(startMs),
      log: silentLog,
      record: (_relay, transition) => transitions.push(transition),
      onWrite() {},
      onDrift() {},
    },
  );
  let outcome: Outcome | Error;
  try {
    outcome = await reconcile(key, passing.signal);
  } catch (error) {
    assert.ok(error instanceof Error);
    outcome = error;
  }
  return { outcome, writes, sent, status, transitions };
}

function refuseWith(error: Error, verb: string, kind: string): NonNullable<World["refuse"]> {
  return (asked, resource) => {
    if (asked === verb && resource.kind === kind) throw error;
  };
}

function reasonOf(status: RelayStatus | undefined, type: string): string | undefined {
  return status?.conditions?.find((condition) => condition.type === type)?.reason;
}

const forbidden = new ApiError(
  403,
  { reason: "Forbidden", message: 'User "u" cannot patch resource "services"' },
  { verb: "apply", resource: "services" },
);
const { metadata } = relayOf();
const leftover = clusterRoleOf(relayOf()).object;
const existing = { ...leftover, metadata: { ...leftover.metadata, uid: "role-1" } };

function deleted(agoMs: number): Relay {
  const deletionTimestamp = new Date(startMs - agoMs).toISOString();
  return relayOf({}, { metadata: { ...metadata, deletionTimestamp, finalizers: ["theirs", cleanupFinalizer] } });
}

test("reconcile: the finalizer comes before the first object, what pods need before the pods, the status last", async () => {
  const { outcome, writes, status } = await pass({ relay: relayOf() });
  assert.deepEqual(outcome, { kind: "done" });
  assert.deepEqual(writes, [
    "patch KubeArmorRelay",
    "apply ServiceAccount",
    "apply Role",
    "apply ClusterRole",
    "apply ConfigMap",
    "apply RoleBinding",
    "apply ClusterRoleBinding",
    "apply Service",
    "apply Service",
    "apply Deployment",
    "status KubeArmorRelay",
  ]);
  assert.equal(reasonOf(status, "Applied"), "Applied");
  assert.equal(status?.observedGeneration, 3);
});

test("reconcile: one object that is refused does not keep the others from being written", async () => {
  const seen = await pass({ relay: relayOf(), refuse: refuseWith(forbidden, "apply", "Service") });
  assert.ok(seen.writes.includes("apply Deployment"));
  assert.equal(reasonOf(seen.status, "Applied"), "PermissionDenied");
  assert.equal(reasonOf(seen.status, "Stalled"), "PermissionDenied");
  assert.deepEqual(seen.outcome, { kind: "requeue-after", afterMs: 60_000 });
  assert.deepEqual(
    seen.transitions.map(({ type, reason }) => [type, reason]),
    [["Warning", "PermissionDenied"]],
  );
});

test("reconcile: a broken connection ends the writes and is retried with backoff, and said in the status", async () => {
  const broken = new Error("Cannot reach the server");
  const { outcome, writes, status } = await pass({ relay: relayOf(), refuse: refuseWith(broken, "apply", "Role") });
  assert.ok(outcome instanceof Error);
  assert.equal(outcome.name, "Error");
  assert.ok(!writes.some((write) => write === "apply RoleBinding" || write === "apply Deployment"));
  assert.equal(reasonOf(status, "Reconciling"), "ApplyFailed");
});

test("reconcile: an invalid spec that an older CRD let through is refused here, and its objects are left as they are", async () => {
  const { outcome, writes, status } = await pass({ relay: relayOf({ service: { nodePort: 1 } }) });
  assert.ok(outcome instanceof Error);
  assert.equal(outcome.name, "TerminalError");
  assert.deepEqual(writes, ["status KubeArmorRelay"]);
  assert.equal(reasonOf(status, "Stalled"), "InvalidSpec");
});

test("reconcile: a relay that went away before its status was written is no error", async () => {
  const gone = new ApiError(404, { reason: "NotFound" }, { verb: "apply", resource: "kubearmorrelays" });
  const seen = await pass({ relay: relayOf(), refuse: refuseWith(gone, "status", "KubeArmorRelay") });
  assert.deepEqual(seen.outcome, { kind: "done" });
  assert.deepEqual(seen.transitions, []);
});

test("reconcile: a namespace that is going away is no error", async () => {
  const causes = [{ reason: "NamespaceTerminating" }];
  const context = { verb: "apply", resource: "serviceaccounts" };
  const terminating = new ApiError(403, { reason: "Forbidden", details: { causes } }, context);
  const seen = await pass({ relay: relayOf(), refuse: refuseWith(terminating, "apply", "ServiceAccount") });
  assert.deepEqual(seen.outcome, { kind: "done" });
  assert.equal(reasonOf(seen.status, "Applied"), "NamespaceTerminating");
});

test("reconcile: suspended, nothing but the status is written", async () => {
  const { writes, status } = await pass({ relay: relayOf({ suspend: true }) });
  assert.deepEqual(writes, ["status KubeArmorRelay"]);
  assert.equal(reasonOf(status, "Applied"), "Suspended");
});

test("reconcile: a relay that is deleted loses its cluster-scoped objects, then the finalizer", async () => {
  const { outcome, writes } = await pass({ relay: deleted(0), objects: [existing] });
  assert.deepEqual(outcome, { kind: "done" });
  assert.deepEqual(writes, ["delete ClusterRole", "patch KubeArmorRelay"]);
});

test("reconcile: the finalizer stays while the cleanup fails, for ten minutes", async () => {
  const refuse = refuseWith(forbidden, "delete", "ClusterRole");
  const early = await pass({ relay: deleted(600_000), objects: [existing], refuse });
  assert.ok(early.outcome instanceof Error);
  assert.deepEqual(early.writes, []);
  const late = await pass({ relay: deleted(601_000), objects: [existing], refuse });
  assert.deepEqual(late.writes, ["patch KubeArmorRelay"]);
  assert.deepEqual(
    late.transitions.map(({ type, reason }) => [type, reason]),
    [["Warning", "CleanupAbandoned"]],
  );
});

test("reconcile: cluster-scoped objects of a relay that is gone are swept, those of others are not", async () => {
  assert.deepEqual((await pass({ objects: [existing] })).writes, ["delete ClusterRole"]);
  const labels = { ...existing.metadata.labels, "operator.kubearmor.com/owner-name": "other" };
  const others = { ...existing, metadata: { ...existing.metadata, labels } };
  assert.deepEqual((await pass({ objects: [others] })).writes, []);
});

test("reconcile: a relay of a namespace that is not watched is not taken for one that is gone", async () => {
  assert.deepEqual((await pass({ objects: [existing], covers: false })).writes, []);
});

test("reconcile: a relay that only the cache does not know loses nothing", async () => {
  assert.deepEqual((await pass({ objects: [existing, relayOf()] })).writes, []);
});

test("reconcile: what is deleted is the very object that was looked at", async () => {
  const { sent } = await pass({ objects: [existing] });
  assert.deepEqual(sent, [{ uid: "role-1", propagationPolicy: "Background" }]);
});

test("reconcile: finalizers of others that came meanwhile are not overwritten", async () => {
  const { sent } = await pass({
    relay: relayOf({}, { metadata: { ...metadata, resourceVersion: "7", finalizers: ["theirs"] } }),
  });
  assert.deepEqual(sent, [{ metadata: { resourceVersion: "7", finalizers: ["theirs", cleanupFinalizer] } }]);
});

const isThere = new ApiError(409, { reason: "Conflict" }, { verb: "apply", resource: "configmaps" });
const somebodys: KubeObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { ...metadata, uid: "theirs" } };

test("reconcile: a name that is taken is found out by the refused write, before clients could find the relay", async () => {
  const refuse = refuseWith(isThere, "apply", "ConfigMap");
  const { writes, status } = await pass({ relay: relayOf(), unknown: [somebodys], refuse });
  assert.equal(reasonOf(status, "Stalled"), "NameConflict");
  for (const kind of ["RoleBinding", "Service", "Deployment"]) assert.ok(!writes.includes(`apply ${kind}`), kind);
});

test("reconcile: where a name was taken the last time, it is looked at before anything is tried", async () => {
  const lastTransitionTime = "2026-01-01T00:00:00Z";
  const applied = { type: "Applied", status: "False", reason: "NameConflict", message: "", lastTransitionTime };
  const relay = relayOf({}, { status: { conditions: [applied] } });
  const { writes } = await pass({ relay, unknown: [somebodys] });
  assert.deepEqual(writes, ["status KubeArmorRelay"]);
});

test("reconcile: nothing is tried beside a Deployment that is somebody else's", async () => {
  const theirs = { ...somebodys, apiVersion: "apps/v1", kind: "Deployment" };
  const { writes, status } = await pass({ relay: relayOf(), unknown: [theirs] });
  assert.deepEqual(writes, ["status KubeArmorRelay"]);
  assert.equal(reasonOf(status, "Stalled"), "NameConflict");
});

test("reconcile: a relay that is to take over looks at every name before it tries any", async () => {
  const annotations = { [adoptAnnotation]: "true" };
  const { writes } = await pass({
    relay: relayOf({}, { metadata: { ...metadata, annotations } }),
    unknown: [somebodys],
  });
  assert.deepEqual(writes, ["status KubeArmorRelay"]);
});

test("reconcile: a relay that runs is not frozen by one object of somebody else", async () => {
  const lastTransitionTime = "2026-01-01T00:00:00Z";
  const applied = { type: "Applied", status: "False", reason: "NameConflict", message: "", lastTransitionTime };
  const { writes, status } = await pass({
    relay: relayOf({}, { status: { conditions: [applied] } }),
    objects: [deployment(relayOf(), { defaultImage: "relay" }).object],
    unknown: [somebodys],
  });
  assert.ok(writes.includes("apply Service"));
  assert.ok(!writes.includes("apply ConfigMap"));
  assert.equal(reasonOf(status, "Stalled"), "NameConflict");
});

test("reconcile: rights in the cluster that are no longer wanted go, whatever namespace of agents is missing", async () => {
  const details = { kind: "namespaces", name: "missing" };
  const missing = new ApiError(404, { reason: "NotFound", details }, { verb: "apply", resource: "roles" });
  const spec = { agents: { namespaces: ["missing"] }, enrichment: { remoteHost: false } };
  const { writes, status } = await pass({
    relay: relayOf(spec),
    objects: [existing],
    refuse: refuseWith(missing, "apply", "Role"),
  });
  assert.ok(writes.includes("delete ClusterRole"));
  assert.equal(reasonOf(status, "Applied"), "NamespaceNotFound");
});

test("reconcile: a pass that is cut off reports nothing about the relay", async () => {
  const { outcome, writes, transitions } = await pass({
    relay: relayOf(),
    refuse(verb, { kind }, passing) {
      if (verb !== "apply" || kind !== "ConfigMap") return;
      passing.abort(new Error("The operator ends"));
      throw new Error("aborted");
    },
  });
  assert.ok(outcome instanceof Error);
  assert.equal(outcome.message, "The operator ends");
  assert.ok(!writes.includes("status KubeArmorRelay"));
  assert.deepEqual(transitions, []);
});

const conflict = new ApiError(409, { reason: "Conflict" }, { verb: "patch", resource: "kubearmorrelays" });

for (const [verb, kind] of [
  ["patch", "KubeArmorRelay"],
  ["apply", "Service"],
] as const) {
  test(`reconcile: a ${kind} that changed meanwhile is looked at again, and that is no news`, async () => {
    const seen = await pass({ relay: relayOf(), refuse: refuseWith(conflict, verb, kind) });
    assert.equal(seen.outcome, conflict);
    assert.ok(!seen.writes.includes("status KubeArmorRelay"));
    assert.deepEqual(seen.transitions, []);
  });
}

const going = { ...metadata, deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: [cleanupFinalizer] };

test("reconcile: what needs rights in the cluster is refused where there are none, with what to set", async () => {
  const { outcome, writes, status } = await pass({ relay: relayOf(), reach: ["kubearmor"] });
  assert.deepEqual(writes, ["status KubeArmorRelay"]);
  assert.ok(outcome instanceof TerminalError);
  assert.equal(reasonOf(status, "Accepted"), "ClusterRightsNeeded");
  assert.match(status?.conditions?.[0]?.message ?? "", /enrichment\.remoteHost: set it to false/);
});

test("reconcile: without rights in the cluster nothing of the cluster is asked for at the end", async () => {
  const asked: string[] = [];
  const { writes } = await pass({
    relay: relayOf({}, { metadata: going }),
    reach: ["kubearmor"],
    asked: ({ kind }) => asked.push(kind),
  });
  assert.deepEqual([asked, writes], [[], ["patch KubeArmorRelay"]]);
});

const unseenOf = (resource: Resource) => [{ resource, message: `cannot list resource "${resource.plural}"` }];

test("reconcile: everything is written while changes of a kind are not heard of, and the status says so", async () => {
  const { outcome, writes, status } = await pass({ relay: relayOf(), unseen: unseenOf(networkPolicies) });
  assert.ok(writes.includes("apply Deployment"));
  assert.equal(reasonOf(status, "Applied"), "PermissionDenied");
  assert.deepEqual(outcome, { kind: "requeue-after", afterMs: 60_000 });
});

test("reconcile: a relay whose roles elsewhere cannot be found keeps its finalizer", async () => {
  const { outcome, writes } = await pass({ relay: relayOf({}, { metadata: going }), unseen: unseenOf(roles) });
  assert.ok(outcome instanceof Error);
  assert.match(outcome.message, /Cannot find all roles/);
  assert.deepEqual(writes, []);
});

test("reconcile: what is missing when the operator starts, as new objects after an upgrade are, is no drift", async () => {
  const lastTransitionTime = "2026-01-01T00:00:00Z";
  const rest = { type: "Applied", reason: "Applied", message: "", observedGeneration: 3, lastTransitionTime };
  const relay = relayOf({}, { status: { conditions: [{ ...rest, status: "True" }] } });
  const { writes, transitions } = await pass({ relay });
  assert.ok(writes.includes("apply Service"));
  assert.deepEqual(
    transitions.filter(({ reason }) => reason === "DriftRepaired"),
    [],
  );
});
