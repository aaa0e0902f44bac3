import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanupFinalizer } from "../api/relay.ts";
import { adoptAnnotation } from "../decide/adoption.ts";
import { relayOf } from "../testing/samples.ts";
import { relayFingerprint, wishFingerprint } from "./predicate.ts";

const relay = relayOf();
const withMetadata = (metadata: object) => ({ ...relay, metadata: { ...relay.metadata, ...metadata } });
const reported = { ...relay, status: { observedGeneration: 3, replicas: 1 } };

for (const fingerprint of [relayFingerprint, wishFingerprint]) {
  test(`${fingerprint.name}() changes with what a pass depends on, and not with labels or others' finalizers`, () => {
    const base = fingerprint(relay, cleanupFinalizer);
    const same = withMetadata({
      labels: { a: "b" },
      annotations: { a: "b" },
      resourceVersion: "2",
      finalizers: ["theirs"],
    });
    assert.equal(fingerprint(same, cleanupFinalizer), base);
    for (const change of [
      { generation: 4 },
      { uid: "2" },
      { deletionTimestamp: "now" },
      { finalizers: [cleanupFinalizer] },
      { annotations: { [adoptAnnotation]: "true" } },
    ])
      assert.notEqual(fingerprint(withMetadata(change), cleanupFinalizer), base, JSON.stringify(change));
  });
}

test("relayFingerprint() changes with the status, wishFingerprint() does not", () => {
  assert.notEqual(relayFingerprint(reported, cleanupFinalizer), relayFingerprint(relay, cleanupFinalizer));
  assert.equal(wishFingerprint(reported, cleanupFinalizer), wishFingerprint(relay, cleanupFinalizer));
});
