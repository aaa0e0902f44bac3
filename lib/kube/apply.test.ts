import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { applyDifferences } from "./apply.ts";
import type { KubeObject, ManagedFieldsEntry } from "./types.ts";

const manager = "me";

function live(
  fields: object,
  fieldsV1: NonNullable<ManagedFieldsEntry["fieldsV1"]>,
  managed: ManagedFieldsEntry = {},
): KubeObject {
  const entry = { manager, operation: "Apply", apiVersion: "v1", fieldsV1, ...managed };
  const metadata = { name: "a", namespace: "b", uid: "u", resourceVersion: "1", managedFields: [entry] };
  return { apiVersion: "v1", kind: "Thing", metadata, ...fields };
}

function desired(fields: object, apiVersion = "v1"): KubeObject {
  return { apiVersion, kind: "Thing", metadata: { name: "a", namespace: "b" }, ...fields };
}

const port = 'k:{"port":80,"protocol":"TCP"}';
const named = (name: string) => `k:${JSON.stringify({ name })}`;

const cases: Readonly<
  Record<string, readonly [live: KubeObject, desired: KubeObject, differences: readonly string[]]>
> = {
  "equal values that are ours": [
    live({ data: { x: "1" } }, { "f:data": { "f:x": {} } }),
    desired({ data: { x: "1" } }),
    [],
  ],
  "more that others own": [
    live({ data: { x: "1", y: "2" }, extra: true }, { "f:data": { "f:x": {} } }),
    desired({ data: { x: "1" } }),
    [],
  ],
  "another value": [
    live({ data: { x: "1" } }, { "f:data": { "f:x": {} } }),
    desired({ data: { x: "2" } }),
    ["changed .data.x"],
  ],
  "an equal value that another manager owns": [
    live({ data: { x: "1" } }, {}),
    desired({ data: { x: "1" } }),
    ["unowned .data"],
  ],
  "a field that is no longer desired": [
    live({ data: { x: "1", y: "2" } }, { "f:data": { "f:x": {}, "f:y": {} } }),
    desired({ data: { x: "1" } }),
    ["surplus .data.y"],
  ],
  "a branch that is no longer desired": [
    live({ data: { x: "1" } }, { "f:data": { "f:x": {} } }),
    desired({}),
    ["surplus .data"],
  ],
  "no entry of the manager": [
    live({ data: { x: "1" } }, {}, { manager: "other" }),
    desired({ data: { x: "1" } }),
    ["unowned "],
  ],
  "an entry by update instead of apply": [
    live({ data: { x: "1" } }, { "f:data": { "f:x": {} } }, { operation: "Update" }),
    desired({ data: { x: "1" } }),
    ["unowned "],
  ],
  "an entry of a subresource": [
    live({ data: { x: "1" } }, { "f:data": { "f:x": {} } }, { subresource: "status" }),
    desired({ data: { x: "1" } }),
    ["unowned "],
  ],
  "another version of the API": [
    live({ data: { x: "1" } }, { "f:data": { "f:x": {} } }, { apiVersion: "v1beta1" }),
    desired({ data: { x: "1" } }),
    ["unowned .apiVersion"],
  ],
  "empty values, which the server does not write but lets us own": [
    live({ spec: {} }, { "f:spec": { "f:list": {}, "f:map": {}, "f:no": {}, "f:text": {}, "f:zero": {} } }),
    desired({ spec: { list: [], map: {}, no: false, text: "", zero: 0 } }),
    [],
  ],
  "an empty value that is not ours: its default may be another": [
    live({ spec: {} }, { "f:spec": { "f:x": {} } }),
    desired({ spec: { x: "", automountServiceAccountToken: false } }),
    ["missing .spec.automountServiceAccountToken"],
  ],
  "empty lists and maps that are nobody's": [
    live({ spec: { x: "1", map: {} } }, { "f:spec": { "f:x": {} } }),
    desired({ spec: { x: "1", env: [], map: {} } }),
    [],
  ],
  "an empty list where others have items": [
    live({ spec: { x: "1", env: [{ name: "A" }] } }, { "f:spec": { "f:x": {} } }),
    desired({ spec: { x: "1", env: [] } }),
    ["unowned .spec.env"],
  ],
  "null and undefined, which are not sent": [
    live({ data: { x: "1" } }, { "f:data": { "f:x": {} } }),
    desired({ data: { x: "1", y: null, z: undefined } }),
    [],
  ],
  "an atomic map that differs in a key": [
    live({ spec: { selector: { a: "b", c: "d" } } }, { "f:spec": { "f:selector": {} } }),
    desired({ spec: { selector: { a: "b" } } }),
    ["changed .spec.selector"],
  ],
  "an atomic list in another order": [
    live({ args: ["a", "b"] }, { "f:args": {} }),
    desired({ args: ["b", "a"] }),
    ["changed .args"],
  ],
  "items of a keyed list, those of others between them": [
    live(
      {
        env: [
          { name: "A", value: "1" },
          { name: "other", value: "x" },
          { name: "B", value: "2" },
        ],
      },
      {
        "f:env": {
          [named("B")]: { ".": {}, "f:name": {}, "f:value": {} },
          [named("A")]: { ".": {}, "f:name": {}, "f:value": {} },
        },
      },
    ),
    desired({
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "2" },
      ],
    }),
    [],
  ],
  "items of a keyed list in another order": [
    live(
      { env: [{ name: "B" }, { name: "A" }] },
      { "f:env": { [named("A")]: { ".": {}, "f:name": {} }, [named("B")]: { ".": {}, "f:name": {} } } },
    ),
    desired({ env: [{ name: "A" }, { name: "B" }] }),
    ["changed .env"],
  ],
  "an item that changed, one that is new and one too many": [
    live(
      {
        env: [
          { name: "A", value: "1" },
          { name: "B", value: "2" },
        ],
      },
      {
        "f:env": {
          [named("A")]: { ".": {}, "f:name": {}, "f:value": {} },
          [named("B")]: { ".": {}, "f:name": {}, "f:value": {} },
        },
      },
    ),
    desired({
      env: [
        { name: "A", value: "9" },
        { name: "C", value: "3" },
      ],
    }),
    ['changed .env[name="A"].value', 'unowned .env[{"name":"C","value":"3"}]', 'surplus .env[name="B"]'],
  ],
  "an item that somebody removed while it was still recorded as ours": [
    live({ env: [] }, { "f:env": { [named("A")]: { ".": {}, "f:name": {} } } }),
    desired({ env: [{ name: "A" }] }),
    ['changed .env[name="A"]'],
  ],
  "an item of a list keyed by two fields, one of them by default": [
    live({ ports: [{ port: 80, protocol: "TCP" }] }, { "f:ports": { [port]: { ".": {}, "f:port": {} } } }),
    desired({ ports: [{ port: 80 }] }),
    [],
  ],
  "an atomic item of a keyed list": [
    live({ ownerReferences: [{ uid: "1", name: "x" }] }, { "f:ownerReferences": { 'k:{"uid":"1"}': {} } }),
    desired({ ownerReferences: [{ uid: "1", name: "y" }] }),
    ['changed .ownerReferences[uid="1"]'],
  ],
  "values of a set": [
    live({ finalizers: ["theirs", "ours"] }, { "f:finalizers": { 'v:"ours"': {} } }),
    desired({ finalizers: ["ours"] }),
    [],
  ],
  "a value of a set that is new": [
    live({ finalizers: ["ours"] }, { "f:finalizers": { 'v:"ours"': {} } }),
    desired({ finalizers: ["ours", "more"] }),
    ['unowned .finalizers["more"]'],
  ],
  "quantities in other words": [
    live({ resources: { limits: { cpu: "1" } } }, { "f:resources": { "f:limits": { "f:cpu": {} } } }),
    desired({ resources: { limits: { cpu: "1000m" } } }),
    [],
  ],
  "quantities of a pod's overhead, and of devices": [
    live(
      { overhead: { cpu: "1" }, resources: { limits: { "example.com/gpu": "2k" } } },
      { "f:overhead": { "f:cpu": {} }, "f:resources": { "f:limits": { "f:example.com/gpu": {} } } },
    ),
    desired({ overhead: { cpu: "1000m" }, resources: { limits: { "example.com/gpu": "2000" } } }),
    [],
  ],
  "what looks like a quantity elsewhere": [
    live({ data: { cpu: "1" } }, { "f:data": { "f:cpu": {} } }),
    desired({ data: { cpu: "1000m" } }),
    ["changed .data.cpu"],
  ],
  "a scalar where a map is ours": [
    live({ data: { x: "1" } }, { "f:data": { "f:x": {} } }),
    desired({ data: "text" }),
    ["changed .data"],
  ],
  "a map that became a list": [
    live({ data: { x: "1" } }, { "f:data": { "f:x": {} } }),
    desired({ data: [1] }),
    ["changed .data"],
  ],
};

for (const [sentence, [liveObject, desiredObject, expected]] of Object.entries(cases)) {
  test(`applyDifferences() of ${sentence}`, () => {
    const found = applyDifferences(liveObject, desiredObject, manager);
    assert.deepEqual(
      found.map(({ kind, path }) => `${kind} ${path}`),
      expected,
    );
  });
}

function labelledAs(app: string): KubeObject {
  return { ...desired({}), metadata: { name: "a", namespace: "b", labels: { app } } };
}

test("applyDifferences() compares labels and owners, but not the name", () => {
  const object = live({}, { "f:metadata": { "f:labels": { "f:app": {} } } });
  const labelled = { ...object, metadata: { ...object.metadata, labels: { app: "relay", theirs: "x" } } };
  assert.deepEqual(applyDifferences(labelled, labelledAs("relay"), manager), []);
  assert.deepEqual(applyDifferences(labelled, labelledAs("other"), manager), [
    { kind: "changed", path: ".metadata.labels.app" },
  ]);
});

test("applyDifferences() for a subresource looks at its own entry", () => {
  const object = live({ status: { ready: 1 } }, { "f:status": { "f:ready": {} } }, { subresource: "status" });
  assert.deepEqual(applyDifferences(object, desired({ status: { ready: 1 } }), manager, "status"), []);
  assert.deepEqual(applyDifferences(object, desired({ status: { ready: 1 } }), manager), [
    { kind: "unowned", path: "" },
  ]);
});

/** A value together with what a server would record for it: a model of server-side apply that is not the code's. */
interface Owned {
  readonly value: unknown;
  readonly fields: NonNullable<ManagedFieldsEntry["fieldsV1"]>;
  /** The value among what others own. */
  readonly live: unknown;
}

const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean());
const key = fc.constantFrom("a", "b", "c", "d.e", "f/g");

const leaf: fc.Arbitrary<Owned> = scalar.map((value) => ({ value, fields: {}, live: value }));
const atomic: fc.Arbitrary<Owned> = fc
  .oneof(fc.array(scalar, { maxLength: 3 }), fc.dictionary(key, scalar, { maxKeys: 3 }))
  .map((value) => ({ value, fields: {}, live: value }));
const set: fc.Arbitrary<Owned> = fc
  .tuple(fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 4 }), fc.array(fc.string(), { maxLength: 3 }))
  .map(([value, others]) => ({
    value,
    fields: Object.fromEntries(value.map((item) => [`v:${JSON.stringify(item)}`, {}])),
    live: [...others.filter((item) => !value.includes(item)), ...value],
  }));

const { owned } = fc.letrec<{ owned: Owned; map: Owned; list: Owned }>((tie) => ({
  owned: fc.oneof({ depthSize: "small" }, leaf, atomic, set, tie("map"), tie("list")),
  map: fc
    .tuple(fc.dictionary(key, tie("owned"), { minKeys: 1, maxKeys: 4 }), fc.boolean())
    .map(([children, hasForeign]) => {
      const entries = Object.entries(children);
      return {
        value: Object.fromEntries(entries.map(([name, child]) => [name, child.value])),
        fields: Object.fromEntries(entries.map(([name, child]) => [`f:${name}`, child.fields])),
        live: {
          ...(hasForeign ? { foreign: 1 } : {}),
          ...Object.fromEntries(entries.map(([name, child]) => [name, child.live])),
        },
      };
    }),
  list: fc
    .tuple(fc.dictionary(key, tie("owned"), { minKeys: 1, maxKeys: 4 }), fc.boolean())
    .map(([children, hasForeign]) => {
      const entries = Object.entries(children);
      return {
        value: entries.map(([name, child]) => ({ name, item: child.value })),
        fields: Object.fromEntries(
          entries.map(([name, child]) => [named(name), { ".": {}, "f:name": {}, "f:item": child.fields }]),
        ),
        live: [
          ...(hasForeign ? [{ name: "foreign" }] : []),
          ...entries.map(([name, child]) => ({ name, item: child.live, defaulted: true })),
        ],
      };
    }),
}));

test("applyDifferences() finds none in what the server recorded, whatever others own beside it", () => {
  fc.assert(
    fc.property(owned, (thing) => {
      const object = live({ spec: thing.live }, { "f:spec": thing.fields });
      assert.deepEqual(applyDifferences(object, desired({ spec: thing.value }), manager), []);
    }),
  );
});

test("applyDifferences() finds any other desired value", () => {
  fc.assert(
    fc.property(owned, owned, (thing, other) => {
      fc.pre(!isDeepStrictEqual(thing.value, other.value));
      const object = live({ spec: thing.live }, { "f:spec": thing.fields });
      assert.notDeepEqual(applyDifferences(object, desired({ spec: other.value }), manager), []);
    }),
  );
});
