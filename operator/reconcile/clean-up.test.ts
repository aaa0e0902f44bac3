import assert from "node:assert/strict";
import { test } from "node:test";
import { roleBindings, roles } from "../../lib/kube/resources.ts";
import type { KubeObject, Resource } from "../../lib/kube/types.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { cleanupFinalizer } from "../api/relay.ts";
import type { LiveObject } from "../decide/plan.ts";
import type { Reach } from "../decide/reach.ts";
import type { Transition } from "../decide/transitions.ts";
import { discoveryRights } from "../desired/roles.ts";
import { relayOf } from "../testing/samples.ts";
import { type CleanUpDeps, cleanUp, sweep } from "./clean-up.ts";

interface World {
  /** What the caches know to be of the relay. */
  readonly known?: readonly LiveObject[];
  /** What the server has of the cluster. */
  readonly objects?: readonly KubeObject[];
}

function worldOf({ known = [], objects = [] }: World) {
  const deleted: string[] = [];
  const transitions: Transition[] = [];
  let patches = 0;
  const patched = (name: object): KubeObject => {
    patches += 1;
    return { apiVersion: "", kind: "", metadata: { name: "", ...name } };
  };
  const deps: CleanUpDeps = {
    view: { unseen: () => [], childrenOf: () => known },
    client: {
      get: ({ kind }: Resource) => Promise.resolve(objects.find((object) => object.kind === kind)),
      delete(resource, { namespace = "", name }) {
        deleted.push(`${resource.kind} ${namespace}/${name}`);
        return Promise.resolve(true);
      },
      mergePatch: (_resource, name) => Promise.resolve(patched(name)),
    },
    wrote() {},
    clock: new FakeClock(Date.UTC(2026, 0, 1)),
    log: silentLog,
    record: (_relay, transition) => transitions.push(transition),
  };
  return { deps, deleted, transitions, patches: () => patches };
}

const { metadata } = relayOf();
const deletionTimestamp = "2026-01-01T00:00:00Z";
const going = { ...metadata, deletionTimestamp, finalizers: [cleanupFinalizer] };
const { signal } = new AbortController();
const elsewhere = { enrichment: { remoteHost: false }, agents: { namespaces: ["a"] } };

/** The roles that a relay of this namespace and name has for agents in `a`, or in the cluster. */
function rightsOf(namespace: string, name: string, spec: Parameters<typeof relayOf>[0]): readonly LiveObject[] {
  const relay = relayOf(spec, { metadata: { ...metadata, namespace, name } });
  return discoveryRights(relay).map(({ resource, object }) => ({
    resource,
    object: { ...object, metadata: { ...object.metadata, uid: "1" } },
  }));
}

async function cleanedUp(spec: Parameters<typeof relayOf>[0], reach: Reach, world: World = {}) {
  const { deps, deleted, transitions, patches } = worldOf(world);
  assert.deepEqual(await cleanUp(relayOf(spec, { metadata: going }), reach, deps, signal), { kind: "done" });
  assert.equal(patches(), 1, "the finalizer is taken off");
  return { deleted, transitions };
}

test("cleanUp(): what is out of the operator's reach by now is named by a Warning, and the relay goes", async () => {
  const { deleted, transitions } = await cleanedUp({}, ["kubearmor"]);
  assert.deepEqual(deleted, []);
  const name = "kubearmor-relay:kubearmor:kubearmor-relay";
  assert.deepEqual(transitions, [
    {
      type: "Warning",
      reason: "CleanupAbandoned",
      note: `Left behind, if it is there, because the operator has no rights there any more: ClusterRole ${name}, ClusterRoleBinding ${name}. Delete it by hand`,
    },
  ]);
});

test("cleanUp(): nothing is said of what is within reach", async () => {
  assert.deepEqual((await cleanedUp(elsewhere, ["kubearmor", "a"])).transitions, []);
  assert.deepEqual((await cleanedUp({}, undefined)).transitions, []);
});

test("cleanUp(): bindings go before the roles that they bind to, in the cluster and elsewhere", async () => {
  const known = rightsOf("kubearmor", "kubearmor-relay", elsewhere);
  const objects = rightsOf("kubearmor", "kubearmor-relay", {}).map(({ object }) => object);
  const { deleted } = await cleanedUp({}, undefined, { known, objects });
  const name = "kubearmor-relay:kubearmor:kubearmor-relay";
  assert.deepEqual(deleted, [
    `ClusterRoleBinding /${name}`,
    `ClusterRole /${name}`,
    `RoleBinding a/${name}`,
    `Role a/${name}`,
  ]);
});

for (const [sentence, namespace, name] of [
  ["a relay of the same name in another namespace", "other", "kubearmor-relay"],
  ["another relay of the namespace", "kubearmor", "other"],
] as const) {
  const others = { known: rightsOf(namespace, name, elsewhere), objects: rightsOf(namespace, name, {}) };
  const world = { known: others.known, objects: others.objects.map(({ object }) => object) };

  test(`cleanUp(): what is of ${sentence} stays`, async () => {
    assert.deepEqual((await cleanedUp({}, undefined, world)).deleted, []);
  });

  test(`sweep(): what is of ${sentence} stays`, async () => {
    const { deps, deleted } = worldOf(world);
    await sweep("kubearmor/kubearmor-relay", { ...metadata, namespace: "kubearmor" }, undefined, deps, signal);
    assert.deepEqual(deleted, []);
  });
}

test("sweep(): without rights in the cluster the roles within reach go", async () => {
  const { deps, deleted } = worldOf({ known: rightsOf("kubearmor", "kubearmor-relay", elsewhere) });
  await sweep("kubearmor/kubearmor-relay", { ...metadata, namespace: "kubearmor" }, ["a"], deps, signal);
  assert.deepEqual(
    deleted.map((text) => text.split(" ")[0]),
    [roleBindings.kind, roles.kind],
  );
});
