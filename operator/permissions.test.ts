import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "../lib/kube/types.ts";
import { desiredObjects } from "./desired/objects.ts";
import { type Permission, clusterPermissions, heldVerbs, ownNamespacePermissions } from "./permissions.ts";
import { relayOf } from "./testing/samples.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

function rulesOf(object: KubeObject): readonly Rule[] {
  return (object["rules"] as readonly Rule[] | undefined) ?? [];
}

/** `verb group/resource` of all that any relay is granted. */
function grantedToRelays(): ReadonlySet<string> {
  const relays = [
    relayOf(),
    relayOf({ replicas: 2 }),
    relayOf({ agents: { namespaces: ["a"] }, enrichment: { remoteHost: false } }),
  ];
  const rules = relays.flatMap((relay) =>
    desiredObjects(relay, { defaultImage: "relay" }).flatMap(({ object }) => rulesOf(object)),
  );
  return new Set(
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
      ),
    ),
  );
}

function namesOf({ group, resource }: Permission, verbs: readonly string[]): readonly string[] {
  return verbs.map((verb) => `${verb} ${group}/${resource}`);
}

test("clusterPermissions: every right that a relay is granted is held, or the server refuses to grant it", () => {
  const held = new Set(clusterPermissions.flatMap((permission) => namesOf(permission, heldVerbs(permission))));
  const granted = grantedToRelays();
  assert.ok(granted.size > 0);
  assert.deepEqual(
    [...granted].filter((each) => !held.has(each)),
    [],
  );
});

test("clusterPermissions: what is held only to be granted is granted", () => {
  const onlyGranted = clusterPermissions.flatMap((permission) => namesOf(permission, permission.granted ?? []));
  const granted = grantedToRelays();
  assert.deepEqual(
    onlyGranted.filter((each) => !granted.has(each)),
    [],
  );
});

test("permissions: none is for everything, secrets are not among them, and each says why", () => {
  for (const permission of [...clusterPermissions, ...ownNamespacePermissions]) {
    const words = [permission.group, permission.resource, ...heldVerbs(permission)];
    assert.ok(!words.some((each) => ["*", "secrets", "escalate", "bind", "impersonate"].includes(each)));
    assert.ok(heldVerbs(permission).length > 0);
    assert.notEqual(permission.why, "");
  }
});
