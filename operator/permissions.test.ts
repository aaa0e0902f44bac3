import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "../lib/kube/types.ts";
import { desiredObjects } from "./desired/objects.ts";
import { clusterPermissions } from "./permissions.ts";
import { relayOf } from "./testing/samples.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

function rulesOf(object: KubeObject): readonly Rule[] {
  return (object["rules"] as readonly Rule[] | undefined) ?? [];
}

test("clusterPermissions: every right that a relay is granted is held, or the server refuses to grant it", () => {
  const granted = [relayOf(), relayOf({ replicas: 2 })].flatMap((relay) =>
    desiredObjects(relay, { defaultImage: "relay" }).flatMap(({ object }) => rulesOf(object)),
  );
  assert.ok(granted.length > 0);
  for (const { apiGroups, resources, verbs } of granted) {
    for (const group of apiGroups) {
      for (const resource of resources) {
        const held = new Set(
          clusterPermissions
            .filter((permission) => permission.group === group && permission.resource === resource)
            .flatMap((permission) => permission.verbs),
        );
        for (const verb of verbs) assert.ok(held.has(verb), `${verb} ${resource}`);
      }
    }
  }
});

test("clusterPermissions: none is for everything, and secrets are not among them", () => {
  for (const { group, resource, verbs, why } of clusterPermissions) {
    assert.ok(![group, resource, ...verbs].some((each) => ["*", "secrets", "escalate", "bind"].includes(each)));
    assert.notEqual(why, "");
  }
});
