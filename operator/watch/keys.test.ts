import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject, ObjectMeta } from "../../lib/kube/types.ts";
import { service } from "../desired/service.ts";
import { clusterRoleOf, relayOf } from "../testing/samples.ts";
import { keysOfChild, parseKey } from "./keys.ts";

const child = (metadata: ObjectMeta): KubeObject => ({ apiVersion: "v1", kind: "Service", metadata });

test("keysOfChild() finds the relay of everything that the operator writes", () => {
  const relay = relayOf();
  for (const { object } of [service(relay), clusterRoleOf(relay)])
    assert.deepEqual(keysOfChild(object), ["kubearmor/kubearmor-relay"]);
});

test("keysOfChild() finds the relay when only the owner reference or only the label is left", () => {
  const { metadata } = service(relayOf()).object;
  const { labels: _labels, ...owned } = metadata;
  const { ownerReferences: _owners, ...labelled } = metadata;
  assert.deepEqual(keysOfChild(child(owned)), ["kubearmor/kubearmor-relay"]);
  assert.deepEqual(keysOfChild(child(labelled)), ["kubearmor/kubearmor-relay"]);
  assert.deepEqual(keysOfChild(child({ namespace: "a", name: "b" })), []);
});

test("parseKey() is the reverse of a key", () => {
  assert.deepEqual(parseKey("a/b"), { namespace: "a", name: "b" });
});
