import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "../../lib/kube/types.ts";
import { FreshStore } from "./fresh-store.ts";

const name = { namespace: "a", name: "b" };

function object(resourceVersion: string, uid = "1"): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { ...name, uid, resourceVersion } };
}

function newStore(): { readonly store: FreshStore<never>; readonly version: () => string | undefined } {
  const store = new FreshStore<never>({});
  return { store, version: () => store.get(name)?.metadata.resourceVersion };
}

test("FreshStore.wrote() is seen at once, and older watch events do not undo it", () => {
  const { store, version } = newStore();
  store.apply({ kind: "added", object: object("1") });
  store.wrote(object("9"));
  assert.equal(version(), "9");
  assert.deepEqual(store.apply({ kind: "modified", object: object("5") }), []);
  assert.equal(version(), "9");
  assert.deepEqual(store.apply({ kind: "modified", object: object("9") }), [], "its own event is no change");
  store.apply({ kind: "modified", object: object("10") });
  assert.equal(version(), "10");
});

test("FreshStore.wrote() makes a new object known, and the deletion of its predecessor does not remove it", () => {
  const { store, version } = newStore();
  store.apply({ kind: "added", object: object("1", "old") });
  store.wrote(object("8", "new"));
  store.apply({ kind: "deleted", object: object("7", "old") });
  assert.equal(version(), "8");
  store.apply({ kind: "deleted", object: object("12", "new") });
  assert.equal(version(), undefined);
});

test("FreshStore.wrote() does not take back what a watch event has overtaken", () => {
  const { store, version } = newStore();
  store.apply({ kind: "added", object: object("9") });
  store.wrote(object("5"));
  assert.equal(version(), "9");
  // Compared as numbers: as texts 10 would come before 9.
  store.wrote(object("10"));
  assert.equal(version(), "10");
});

test("FreshStore.apply() believes a new list, so that what is gone does not stay", () => {
  const { store, version } = newStore();
  store.wrote(object("9"));
  store.apply({ kind: "replaced", objects: [] });
  assert.equal(version(), undefined);
});

test("FreshStore.apply() forgets with a new list what it waited for: older changes than a write count again", () => {
  const { store, version } = newStore();
  store.wrote(object("9"));
  store.apply({ kind: "replaced", objects: [object("5")] });
  store.apply({ kind: "modified", object: object("7") });
  assert.equal(version(), "7");
});

test("FreshStore.wrote() does not bring back what was deleted before the answer came", () => {
  const { store, version } = newStore();
  store.apply({ kind: "replaced", objects: [object("5")] });
  store.apply({ kind: "modified", object: object("10") });
  store.apply({ kind: "deleted", object: object("11") });
  assert.deepEqual(store.wrote(object("10")), []);
  assert.equal(version(), undefined);
  store.wrote(object("12", "new"));
  assert.equal(version(), "12");
});

test("FreshStore.wrote() is no change when the watch has told of it already", () => {
  const { store } = newStore();
  store.apply({ kind: "added", object: object("9") });
  store.wrote(object("9"));
  assert.equal(store.apply({ kind: "deleted", object: object("8") }).length, 1, "and nothing is waited for");
});
