import assert from "node:assert/strict";
import { test } from "node:test";
import { withFieldsTaken, withWritersSucceeded } from "./managed-fields.ts";
import type { KubeObject, ManagedFieldsEntry } from "./types.ts";

const env = ["spec", "containers", "env"];

function entry(manager: string, env_: object, rest: Partial<ManagedFieldsEntry> = {}, others = {}): ManagedFieldsEntry {
  const container = { 'k:{"name":"c"}': { ...others, "f:env": env_ } };
  const fieldsV1 = { "f:spec": { "f:containers": container } };
  return { manager, operation: "Update", apiVersion: "v1", fieldsV1, ...rest };
}

function objectOf(...managedFields: readonly ManagedFieldsEntry[]): KubeObject {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "p", managedFields } };
}

const own = { 'k:{"name":"A"}': { ".": {}, "f:name": {} } };
const theirs = { 'k:{"name":"A"}': { "f:value": {} } };
const ours = entry("us", own, { operation: "Apply" });

test("withFieldsTaken() moves the fields under the paths and leaves all else with its owner", () => {
  const image = { "f:image": {} };
  assert.deepEqual(withFieldsTaken(objectOf(ours, entry("them", theirs, {}, image)), "us", [env]), [
    entry("us", { 'k:{"name":"A"}': { ".": {}, "f:name": {}, "f:value": {} } }, { operation: "Apply" }),
    {
      ...entry("them", {}),
      fieldsV1: { "f:spec": { "f:containers": { 'k:{"name":"c"}': image } } },
    },
  ]);
});

test("withFieldsTaken() drops an entry that is left without fields", () => {
  const taken = withFieldsTaken(objectOf(entry("them", theirs), ours), "us", [env]);
  assert.deepEqual(
    taken?.map(({ manager }) => manager),
    ["us"],
  );
});

test("withFieldsTaken() keeps what is owned as a whole when others own parts of it", () => {
  const whole = entry("us", {}, { operation: "Apply" });
  const [taken] = withFieldsTaken(objectOf(whole, entry("them", theirs)), "us", [env]) ?? [];
  assert.deepEqual(taken, entry("us", { ".": {}, ...theirs }, { operation: "Apply" }));
});

const untouched: Readonly<Record<string, readonly [KubeObject, readonly (readonly string[])[]]>> = {
  "there is nothing under the paths": [objectOf(ours, entry("them", theirs)), [["spec", "ports"], ["status"]]],
  "no path is given": [objectOf(ours, entry("them", theirs)), []],
  "it was written through a subresource": [objectOf(ours, entry("them", theirs, { subresource: "status" })), [env]],
  "it is recorded in another version of the API": [objectOf(ours, entry("them", theirs, { apiVersion: "v2" })), [env]],
  "the manager has applied nothing": [objectOf(entry("them", theirs)), [env]],
};

for (const [sentence, [object, paths]] of Object.entries(untouched)) {
  test(`withFieldsTaken() takes nothing when ${sentence}`, () => {
    assert.equal(withFieldsTaken(object, "us", paths), undefined);
  });
}

const succession = {
  fieldManager: "us",
  keeps: (manager: string) => manager === "controller",
  untaken: [["metadata", "finalizers"]],
};

test("withWritersSucceeded() moves what was written to the object, by whatever verb, and leaves the rest with its owner", () => {
  const reported = entry("them", theirs, { subresource: "status" });
  const kept = entry("controller", theirs);
  const older = entry("them", theirs, { apiVersion: "v0" });
  const finalizer = { "f:metadata": { "f:finalizers": { ".": {}, 'v:"x"': {} } } };
  const label = { "f:metadata": { "f:labels": { "f:a": {} } } };
  const mixed = {
    ...entry("edit", {}),
    fieldsV1: { "f:metadata": { ...finalizer["f:metadata"], ...label["f:metadata"] } },
  };
  const applied = entry("them", own, { operation: "Apply" });
  const object = objectOf(applied, reported, kept, older, mixed, entry("other", theirs));
  assert.deepEqual(withWritersSucceeded(object, succession), [
    {
      manager: "us",
      operation: "Apply",
      apiVersion: "v1",
      fieldsType: "FieldsV1",
      fieldsV1: {
        ...entry("us", { 'k:{"name":"A"}': { ".": {}, "f:name": {}, "f:value": {} } }).fieldsV1,
        ...label,
      },
    },
    reported,
    kept,
    older,
    { ...mixed, fieldsV1: finalizer },
  ]);
});

test("withWritersSucceeded() adds to what the manager has applied before", () => {
  const [taken, ...others] = withWritersSucceeded(objectOf(entry("them", theirs), ours), succession) ?? [];
  assert.deepEqual(
    taken?.fieldsV1,
    entry("us", { 'k:{"name":"A"}': { ".": {}, "f:name": {}, "f:value": {} } }).fieldsV1,
  );
  assert.deepEqual(others, []);
});

test("withWritersSucceeded() takes nothing where there is nothing, or only what stays", () => {
  for (const object of [objectOf(), objectOf(ours), objectOf(entry("controller", theirs))])
    assert.equal(withWritersSucceeded(object, succession), undefined);
  const finalizer = { ...entry("them", {}), fieldsV1: { "f:metadata": { "f:finalizers": {} } } };
  assert.equal(withWritersSucceeded(objectOf(finalizer), succession), undefined);
});
