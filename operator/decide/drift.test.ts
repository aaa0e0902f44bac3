import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject, ManagedFieldsEntry } from "../../lib/kube/types.ts";
import type { Relay } from "../api/relay.ts";
import { service } from "../desired/service.ts";
import { relayOf } from "../testing/samples.ts";
import { driftOf } from "./drift.ts";

const us = "us";

/** A relay whose objects were as its spec of this generation wanted them. */
function settled(observedGeneration = 3, status = "True"): Relay {
  const lastTransitionTime = "2026-01-01T00:00:00Z";
  const applied = { type: "Applied", status, reason: "Applied", message: "", observedGeneration, lastTransitionTime };
  return relayOf({}, { status: { conditions: [applied] } });
}

function liveService(...managedFields: readonly ManagedFieldsEntry[]): KubeObject {
  const { object } = service(settled());
  return { ...object, metadata: { ...object.metadata, uid: "s", managedFields } };
}

const ours = { manager: us, operation: "Apply", time: "2026-01-01T00:00:00Z" };
const later = "2026-01-02T00:00:00Z";
const editor = { manager: "kubectl-edit", operation: "Update", time: later };

const cases: Readonly<Record<string, readonly [Relay, KubeObject | undefined, note: string | undefined]>> = {
  "a field that somebody changed is named with who did": [
    settled(),
    liveService(ours, { ...editor, manager: "helm", time: "2026-01-01T12:00:00Z" }, editor),
    "Put back Service kubearmor: .a, .b, .c and 1 more, after a write by kubectl-edit",
  ],
  "a scale counts as a write": [
    settled(),
    liveService(ours, { manager: "hpa", subresource: "scale", time: later }),
    "Put back Service kubearmor: .a, .b, .c and 1 more, after a write by hpa",
  ],
  "an object that is gone is named": [settled(), undefined, "Made Service kubearmor anew: it was gone"],
  "a new spec is no drift": [settled(2), liveService(ours, editor), undefined],
  "a relay that was never complete has none": [settled(3, "False"), undefined, undefined],
  "what this operator wants otherwise than its predecessor is no drift": [settled(), liveService(ours), undefined],
  "an older write by somebody else did not do it": [
    settled(),
    liveService(ours, { ...editor, time: "2025-01-01T00:00:00Z" }),
    undefined,
  ],
  "a report in the status did not do it": [
    settled(),
    liveService(ours, { manager: "kube-controller-manager", subresource: "status", time: later }),
    undefined,
  ],
};

for (const [sentence, [relay, live, note]] of Object.entries(cases)) {
  test(`driftOf(): ${sentence}`, () => {
    const paths = live === undefined ? [] : [".a", ".b", ".c", ".d"];
    const found = driftOf(relay, [{ desired: service(relay), live, paths }], us);
    assert.deepEqual(
      found.map((drift) => drift.note),
      note === undefined ? [] : [note],
    );
    if (live !== undefined && note !== undefined) assert.equal(found[0]?.related?.uid, "s");
  });
}
