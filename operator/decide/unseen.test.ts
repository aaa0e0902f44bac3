import assert from "node:assert/strict";
import { test } from "node:test";
import { networkPolicies, pods } from "../../lib/kube/resources.ts";
import { withUnseen } from "./unseen.ts";

const unseen = [
  { resource: pods, message: 'cannot watch resource "pods"' },
  { resource: networkPolicies, message: 'cannot list resource "networkpolicies"' },
];

test("withUnseen(): what is written is not called applied while changes of it are not heard of", () => {
  const result = withUnseen({ kind: "applied" }, unseen);
  assert.ok(result.kind === "failed");
  assert.deepEqual([result.reason, result.isRetryable], ["PermissionDenied", false]);
  assert.match(result.message, /^Changes of networkpolicies\.networking\.k8s\.io .*cannot list.*; Changes of pods /);
});

test("withUnseen(): what went wrong otherwise comes first, and nothing is wrong when all is heard of", () => {
  const failed = { kind: "failed", reason: "Rejected", message: "no", isRetryable: false } as const;
  assert.equal(withUnseen(failed, unseen), failed);
  assert.deepEqual(withUnseen({ kind: "applied" }, []), { kind: "applied" });
});
