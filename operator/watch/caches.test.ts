import assert from "node:assert/strict";
import { test } from "node:test";
import { configMaps, deployments, pods, roles, services } from "../../lib/kube/resources.ts";
import type { KubeObject, ListWatchOptions, Resource, WatchChange, WatchState } from "../../lib/kube/types.ts";
import { cleanupFinalizer, relayResource } from "../api/relay.ts";
import { configMap } from "../desired/config-map.ts";
import { ownerLabels } from "../desired/names.ts";
import { service } from "../desired/service.ts";
import { relayOf } from "../testing/samples.ts";
import { Caches, type CachesOptions } from "./caches.ts";

const key = "kubearmor/kubearmor-relay";

interface Rig {
  readonly caches: Caches;
  readonly watched: readonly ListWatchOptions[];
  /** Keys enqueued since the last call. */
  readonly keys: () => readonly string[];
  readonly send: (resource: Resource, change: WatchChange, namespace?: string) => void;
}

interface RigOptions extends Pick<CachesOptions, "clusterRights" | "watchSeconds"> {
  /** Of every list-watch. */
  readonly synced?: Promise<void>;
}

function start(
  namespaces: readonly string[] = [],
  state: WatchState = { kind: "synced" },
  { synced = Promise.resolve(), ...rest }: RigOptions = {},
): Rig {
  const watched: ListWatchOptions[] = [];
  let enqueued: string[] = [];
  const caches = new Caches(
    { namespaces, ...rest },
    {
      startListWatch(options) {
        watched.push(options);
        return { synced, state, [Symbol.asyncDispose]: () => Promise.resolve() };
      },
      enqueue: (each) => enqueued.push(each),
      onRestart() {},
    },
  );
  return {
    caches,
    watched,
    keys() {
      const keys = enqueued;
      enqueued = [];
      return keys;
    },
    send(resource, change, namespace) {
      const found = watched.find((each) => each.resource === resource && each.scope.namespace === namespace);
      assert.ok(found);
      found.onChange(change);
    },
  };
}

function relayAt(resourceVersion: string, metadata = {}, rest = {}): KubeObject {
  const relay = relayOf({}, rest);
  return { ...relay, metadata: { ...relay.metadata, resourceVersion, ...metadata } };
}

test("Caches: watches last three to six minutes unless told otherwise", () => {
  for (const { watchSeconds } of start().watched) assert.deepEqual(watchSeconds, { min: 180, spread: 180 });
  const told = { min: 3, spread: 2 };
  for (const { watchSeconds } of start([], undefined, { watchSeconds: told }).watched)
    assert.deepEqual(watchSeconds, told);
});

test("Caches: a relay is enqueued for a new generation, a deletion and a status that somebody else wrote", () => {
  const { send, keys } = start();
  send(relayResource, { kind: "replaced", objects: [relayAt("1")] });
  assert.deepEqual(keys(), [key]);
  send(relayResource, { kind: "modified", object: relayAt("2", { labels: { a: "b" } }) });
  assert.deepEqual(keys(), []);
  send(relayResource, { kind: "modified", object: relayAt("3", {}, { status: { replicas: 1 } }) });
  assert.deepEqual(keys(), [key]);
  send(relayResource, { kind: "modified", object: relayAt("4", { generation: 4 }) });
  assert.deepEqual(keys(), [key]);
  send(relayResource, { kind: "modified", object: relayAt("5", { generation: 4, deletionTimestamp: "now" }) });
  assert.deepEqual(keys(), [key]);
  send(relayResource, { kind: "deleted", object: relayAt("6", { generation: 4, deletionTimestamp: "now" }) });
  assert.deepEqual(keys(), [key]);
});

test("Caches.wrote(): a spec that came between a pass and the answer to its status is not lost", () => {
  const { caches, send, keys } = start();
  send(relayResource, { kind: "replaced", objects: [relayAt("1")] });
  keys();
  // The user's change is version 2; the answer to our status is version 3 and holds it.
  caches.wrote(relayResource, relayAt("3", { generation: 4 }));
  assert.deepEqual(keys(), [key]);
  send(relayResource, { kind: "modified", object: relayAt("2", { generation: 4 }) });
  send(relayResource, { kind: "modified", object: relayAt("3", { generation: 4 }) });
  assert.deepEqual(keys(), [], "and it is not done twice");
});

test("Caches.wrote(): a status of ours alone is no news", () => {
  const { caches, send, keys } = start();
  send(relayResource, { kind: "replaced", objects: [relayAt("1", { finalizers: [cleanupFinalizer] })] });
  keys();
  const answer = relayAt("2", { finalizers: [cleanupFinalizer] }, { status: { replicas: 1 } });
  caches.wrote(relayResource, answer);
  send(relayResource, { kind: "modified", object: answer });
  assert.deepEqual(keys(), []);
});

test("Caches: every change of a child enqueues its relay, and so does its loss", () => {
  const { caches, send, keys } = start();
  const { object } = configMap(relayOf());
  const child = { ...object, metadata: { ...object.metadata, resourceVersion: "1", uid: "c" } };
  send(configMaps, { kind: "added", object: child });
  assert.deepEqual(keys(), [key]);
  assert.deepEqual(
    caches.childrenOf(key).map(({ resource }) => resource),
    [configMaps],
  );
  // A label is taken off: the watch says that it is deleted, and its last state no longer names the relay.
  send(configMaps, { kind: "replaced", objects: [] });
  assert.deepEqual(keys(), [key]);
  assert.deepEqual(caches.childrenOf(key), []);
});

test("Caches: namespaces are watched one by one, the cluster's own objects once", () => {
  const { caches, watched, send } = start(["a", "b"]);
  const scopes = (resource: Resource) =>
    watched.filter((each) => each.resource.kind === resource.kind).map(({ scope }) => scope.namespace);
  assert.deepEqual(scopes(deployments), ["a", "b"]);
  assert.deepEqual(
    watched.filter(({ resource }) => !resource.namespaced).map(({ scope }) => scope.namespace),
    [undefined, undefined],
  );
  assert.ok(caches.covers("a"));
  assert.ok(!caches.covers("c"));
  const inA = relayAt("1", { namespace: "a" });
  send(relayResource, { kind: "replaced", objects: [inA] }, "a");
  send(relayResource, { kind: "replaced", objects: [] }, "b");
  assert.ok(caches.get(relayResource, { namespace: "a", name: inA.metadata.name }));
});

test("Caches: only objects of ours are watched, and pods are kept without what nobody reads", () => {
  const { caches, watched, send } = start();
  for (const { resource, scope } of watched)
    assert.equal(scope.labelSelector === undefined, resource === relayResource, resource.kind);
  const pod: KubeObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: "kubearmor", name: "p", labels: { "operator.kubearmor.com/relay": "kubearmor-relay" } },
    spec: { containers: [{ name: "c", image: "i", env: [] }], nodeName: "n" },
    status: { podIP: "1.2.3.4", conditions: [] },
  };
  const trim = watched.find((each) => each.resource === pods)?.trim;
  assert.ok(trim);
  send(pods, { kind: "added", object: trim(pod) });
  const [kept] = caches.podsOf(key);
  assert.deepEqual(kept?.["spec"], { containers: [{ name: "c", image: "i" }] });
});

test("Caches.problems() names what is not synced, with the reason", () => {
  const error = new Error("cannot list");
  const { caches } = start([], { kind: "failing", reason: "forbidden", error });
  assert.ok(caches.problems().includes("deployments: forbidden: cannot list"));
  assert.deepEqual(start().caches.problems(), []);
});

function serviceOf(relay: string, resourceVersion: string): KubeObject {
  const { object } = service(relayOf({}, { metadata: { namespace: "kubearmor", name: relay, uid: relay } }));
  return { ...object, metadata: { ...object.metadata, resourceVersion, uid: "s" } };
}

test("Caches.wrote(): the relay that an object belonged to hears that it is another's", () => {
  const { caches, send, keys } = start();
  send(services, { kind: "added", object: serviceOf("loser", "1") });
  keys();
  caches.wrote(services, serviceOf("winner", "2"));
  assert.deepEqual(keys(), ["kubearmor/loser"]);
  send(services, { kind: "modified", object: serviceOf("winner", "2") });
  assert.deepEqual(keys(), []);
});

test("Caches.wrote() keeps as little of an object as the watch does", () => {
  const { caches } = start();
  caches.wrote(relayResource, relayAt("1", { managedFields: [{ manager: "a" }] }));
  const [namespace = "", name = ""] = key.split("/");
  const kept = caches.get(relayResource, { namespace, name });
  assert.ok(kept);
  assert.equal(kept.metadata.managedFields, undefined);
});

test("Caches: a Service's deletion enqueues every relay of its namespace that wants its name", () => {
  const { caches, send, keys } = start();
  const wanting = ["one", "two"].map((name) => relayAt("1", { name }));
  const elsewhere = [relayAt("1", { namespace: "other" }), relayAt("1", { name: "three" }, {})];
  const [other, third] = elsewhere;
  assert.ok(other !== undefined && third !== undefined);
  const spec = { ...(third["spec"] as object), service: { name: "third" } };
  send(relayResource, { kind: "replaced", objects: [...wanting, other, { ...third, spec }] });
  assert.deepEqual(
    caches.relaysWanting("kubearmor", "kubearmor").map(({ metadata }) => metadata.name),
    ["one", "two"],
  );
  send(services, { kind: "added", object: serviceOf("one", "1") });
  keys();
  send(services, { kind: "deleted", object: serviceOf("one", "2") });
  assert.deepEqual(keys(), ["kubearmor/one", "kubearmor/two"]);
});

test("Caches: without rights in the cluster only the namespaces are asked about", () => {
  const { watched } = start(["a", "b"], { kind: "synced" }, { clusterRights: false });
  assert.deepEqual([...new Set(watched.map(({ scope }) => scope.namespace))], ["a", "b"]);
  assert.ok(watched.every(({ resource }) => resource.namespaced));
});

test("Caches: roles are watched everywhere, as agents may be elsewhere, if there are rights for it", () => {
  const { caches, watched, send } = start(["kubearmor"]);
  assert.deepEqual(
    watched.filter(({ resource }) => resource === roles).map(({ scope }) => scope.namespace),
    [undefined],
  );
  const labels = { [ownerLabels.namespace]: "kubearmor", [ownerLabels.name]: "kubearmor-relay" };
  const metadata = { namespace: "elsewhere", name: "r", resourceVersion: "1", labels };
  send(roles, { kind: "added", object: { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata } });
  assert.equal(caches.childrenOf(key).length, 1);
});

test("Caches: what may not be followed holds nothing up, and every relay hears of it and of its end", async () => {
  const forbidden: WatchState = { kind: "failing", reason: "forbidden", error: new Error("cannot list pods") };
  const { caches, watched, send, keys } = start([], forbidden, { synced: new Promise(() => {}) });
  send(relayResource, { kind: "replaced", objects: [relayAt("1")] });
  keys();
  for (const { onState } of watched) onState?.(forbidden);
  await caches.synced;
  assert.deepEqual([...new Set(keys())], [key]);
  const refused = caches.unseen().find(({ resource }) => resource === pods);
  assert.equal(refused?.message, "cannot list pods");
  for (const { onState } of watched) onState?.(forbidden);
  assert.deepEqual(keys(), [], "but not again and again");
  watched[0]?.onState?.({ kind: "synced" });
  assert.deepEqual(keys(), [key]);
});

test("Caches: what cannot be reached is waited for", async () => {
  const unreachable: WatchState = { kind: "failing", reason: "unreachable", error: new Error("refused") };
  const { caches, watched } = start([], unreachable, { synced: new Promise(() => {}) });
  for (const { onState } of watched) onState?.(unreachable);
  const first = await Promise.race([caches.synced.then(() => "synced"), Promise.resolve("waiting")]);
  assert.equal(first, "waiting");
  assert.deepEqual(caches.unseen(), []);
});
