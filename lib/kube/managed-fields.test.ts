import assert from "node:assert/strict";
import { test } from "node:test";
import { withFieldsTaken } from "./managed-fields.ts";
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
