import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type IndexValues, Store } from "./store.ts";
import type { KubeObject, WatchChange } from "./types.ts";

interface Parts {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly version?: string;
  readonly owners?: readonly string[];
  readonly app?: string;
}

function pod({ name, namespace = "a", uid = name, version = "1", owners = [], app }: Parts): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion: version,
      ownerReferences: owners.map((owner) => ({ apiVersion: "v1", kind: "Owner", name: "o", uid: owner })),
      ...(app === undefined ? {} : { labels: { app } }),
    },
  };
}

const indexes = {
  uid: ({ metadata }) => (metadata.uid === undefined ? [] : [metadata.uid]),
  owner: ({ metadata }) => metadata.ownerReferences?.map(({ uid }) => uid) ?? [],
  app: ({ metadata }) => (metadata.labels?.["app"] === undefined ? [] : [metadata.labels["app"]]),
} satisfies Record<string, IndexValues>;

function create(): Store<"uid" | "owner" | "app"> {
  return new Store(indexes);
}

const names = (objects: readonly KubeObject[]) => objects.map((object) => object.metadata.name);

test("Store.apply() answers what a change changed", () => {
  const store = create();
  const [first, second] = [pod({ name: "p" }), pod({ name: "p", version: "2" })];
  assert.deepEqual(store.apply({ kind: "added", object: first }), [{ kind: "added", object: first }]);
  assert.deepEqual(store.apply({ kind: "modified", object: second }), [
    { kind: "modified", object: second, previous: first },
  ]);
  const last = pod({ name: "p", version: "3" });
  assert.deepEqual(store.apply({ kind: "deleted", object: last }), [{ kind: "deleted", object: last }]);
  assert.equal(store.size, 0);
});

test("Store.apply() answers nothing to a repetition, from a watch or from a new list", () => {
  const store = create();
  store.apply({ kind: "added", object: pod({ name: "p" }) });
  assert.deepEqual(store.apply({ kind: "modified", object: pod({ name: "p" }) }), []);
  assert.deepEqual(store.apply({ kind: "replaced", objects: [pod({ name: "p" })] }), []);
  assert.deepEqual(store.apply({ kind: "deleted", object: pod({ name: "other" }) }), []);
});

test("Store.apply() notices in a new list what came, changed, and went", () => {
  const store = create();
  store.apply({ kind: "replaced", objects: [pod({ name: "stays" }), pod({ name: "goes" }), pod({ name: "changes" })] });
  const changes = store.apply({
    kind: "replaced",
    objects: [pod({ name: "stays" }), pod({ name: "changes", version: "2" }), pod({ name: "comes" })],
  });
  assert.deepEqual(
    changes.map((change) => `${change.kind} ${change.object.metadata.name}`),
    ["deleted goes", "modified changes", "added comes"],
  );
});

test("Store.apply() takes an object made anew under its old name as a deletion and an addition", () => {
  const store = create();
  const [old, anew] = [pod({ name: "p", uid: "1" }), pod({ name: "p", uid: "2", version: "2" })];
  store.apply({ kind: "added", object: old });
  assert.deepEqual(store.apply({ kind: "replaced", objects: [anew] }), [
    { kind: "deleted", object: old },
    { kind: "added", object: anew },
  ]);
  assert.deepEqual(store.by("uid", "1"), []);
});

test("Store finds objects by name, namespace, UID, owner and label", () => {
  const store = create();
  store.apply({
    kind: "replaced",
    objects: [
      pod({ name: "p", owners: ["x"], app: "relay" }),
      pod({ name: "q", owners: ["x", "y"] }),
      pod({ name: "p", namespace: "b", uid: "bp", app: "relay" }),
    ],
  });
  assert.equal(store.get({ namespace: "b", name: "p" })?.metadata.uid, "bp");
  assert.equal(store.get({ namespace: "b", name: "q" }), undefined);
  assert.deepEqual(names(store.list("a")), ["p", "q"]);
  assert.deepEqual(names(store.by("uid", "bp")), ["p"]);
  assert.deepEqual(names(store.by("owner", "x")), ["p", "q"]);
  assert.deepEqual(names(store.by("owner", "y")), ["q"]);
  assert.equal(store.by("app", "relay").length, 2);
  assert.deepEqual(store.by("app", "none"), []);
});

test("Store freezes what it keeps, all the way down", () => {
  const store = create();
  store.apply({ kind: "added", object: pod({ name: "p", owners: ["x"] }) });
  const owner = store.get({ namespace: "a", name: "p" })?.metadata.ownerReferences?.[0];
  assert.ok(owner !== undefined && Object.isFrozen(owner));
});

const part = fc.record({
  name: fc.constantFrom("p", "q", "r", "s"),
  namespace: fc.constantFrom("a", "b"),
  uid: fc.constantFrom("1", "2", "3"),
  version: fc.nat(5).map(String),
  owners: fc.uniqueArray(fc.constantFrom("x", "y", "z")),
  app: fc.constantFrom("relay", "agent"),
});
const object = part.map(pod);
const change: fc.Arbitrary<WatchChange> = fc.oneof(
  fc.record({ kind: fc.constantFrom("added" as const, "modified" as const, "deleted" as const), object }),
  fc.record({
    kind: fc.constant("replaced" as const),
    objects: fc.uniqueArray(object, { selector: ({ metadata }) => `${metadata.namespace}/${metadata.name}` }),
  }),
);

test("Store: after any changes its indexes say what its objects say", () => {
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const store = create();
      for (const next of changes) store.apply(next);
      const all = store.list();
      for (const [index, values] of Object.entries<IndexValues>(indexes)) {
        for (const value of ["1", "2", "3", "x", "y", "z", "relay", "agent"]) {
          assert.deepEqual(
            new Set(store.by(index as "uid" | "owner" | "app", value)),
            new Set(all.filter((candidate) => values(candidate).includes(value))),
            `${index} ${value}`,
          );
        }
      }
    }),
  );
});

test("Store: its changes, played one after the other, lead to its objects", () => {
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const store = create();
      const mirror = new Map<string, KubeObject>();
      for (const next of changes) {
        for (const { kind, object: changed } of store.apply(next)) {
          const key = `${changed.metadata.namespace}/${changed.metadata.name}`;
          assert.equal(mirror.has(key), kind !== "added", `${kind} ${key}`);
          if (kind === "deleted") mirror.delete(key);
          else mirror.set(key, changed);
        }
      }
      assert.deepEqual(new Set(mirror.values()), new Set(store.list()));
    }),
  );
});
