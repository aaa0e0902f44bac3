import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject, ManagedFieldsEntry } from "../../lib/kube/types.ts";
import type { Relay } from "../api/relay.ts";
import { discoveryRights } from "../desired/roles.ts";
import { service } from "../desired/service.ts";
import { relayOf } from "../testing/samples.ts";
import { driftOf, repairOf } from "./drift.ts";

const us = "us";

/** A relay whose objects were as its spec of this generation wanted them. */
function settled(observedGeneration = 3, status = "True", reason = "Applied"): Relay {
  const lastTransitionTime = "2026-01-01T00:00:00Z";
  const applied = { type: "Applied", status, reason, message: "", observedGeneration, lastTransitionTime };
  return relayOf({}, { status: { conditions: [applied] } });
}

const { object: wanted } = service(settled());
const spec = wanted["spec"] as { readonly [field: string]: unknown };
const allFields = {
  "f:metadata": {
    "f:labels": Object.fromEntries(Object.keys(wanted.metadata.labels ?? {}).map((key) => [`f:${key}`, {}])),
    "f:ownerReferences": { 'k:{"uid":"uid-1"}': {} },
  },
  "f:spec": Object.fromEntries(Object.keys(spec).map((key) => [`f:${key}`, {}])),
};

function without(...names: readonly string[]): object {
  const kept = Object.entries(allFields["f:spec"]).filter(([key]) => !names.includes(key.slice(2)));
  return { ...allFields, "f:spec": Object.fromEntries(kept) };
}

/** The Service with these changes of its spec. */
function liveService(changes: object, ...managedFields: readonly ManagedFieldsEntry[]): KubeObject {
  return { ...wanted, metadata: { ...wanted.metadata, uid: "s", managedFields }, spec: { ...spec, ...changes } };
}

const ours = (fieldsV1: object = allFields): ManagedFieldsEntry => ({
  manager: us,
  operation: "Apply",
  apiVersion: "v1",
  time: "2026-01-01T00:00:00Z",
  fieldsV1: { ...fieldsV1 },
});
const later = "2026-01-02T00:00:00Z";
const editor = { manager: "kubectl-edit", operation: "Update", time: later };

const taken = { type: "NodePort", ipFamilyPolicy: "SingleStack", selector: { a: "b" } };
const oursWithoutTaken = { ...without(...Object.keys(taken)), "f:metadata": { "f:ownerReferences": {} } };

const cases: Readonly<Record<string, readonly [Relay, KubeObject | undefined, note: string | undefined]>> = {
  "fields that somebody changed are named with who did": [
    settled(),
    liveService(taken, ours(oursWithoutTaken), { ...editor, manager: "helm", time: "2026-01-01T12:00:00Z" }, editor),
    "Put back Service kubearmor: .spec.type, .spec.ipFamilyPolicy, .spec.selector and 1 more, after a write by kubectl-edit",
  ],
  "a field that somebody removed is named": [
    settled(),
    liveService({ selector: undefined }, ours(without("selector")), editor),
    "Put back Service kubearmor: .spec.selector, after a write by kubectl-edit",
  ],
  "a write of the same second as ours came after it": [
    settled(),
    liveService({ type: "NodePort" }, ours(without("type")), { ...editor, time: "2026-01-01T00:00:00Z" }),
    "Put back Service kubearmor: .spec.type, after a write by kubectl-edit",
  ],
  "a scale counts as a write": [
    settled(),
    liveService({ type: "NodePort" }, ours(without("type")), { manager: "hpa", subresource: "scale", time: later }),
    "Put back Service kubearmor: .spec.type, after a write by hpa",
  ],
  "a scale that is recorded without a time counts as well": [
    settled(),
    liveService({ type: "NodePort" }, ours(without("type")), { manager: "hpa", subresource: "scale" }),
    "Put back Service kubearmor: .spec.type, after a write by hpa",
  ],
  "an object that is gone is named": [settled(), undefined, "Made Service kubearmor anew: it was gone"],
  "another value of a field that is still ours is a new version's wish, whoever wrote last": [
    settled(),
    liveService({ type: "NodePort" }, ours(), editor),
    undefined,
  ],
  "new fields of a new version are no drift": [
    settled(),
    liveService({ type: "NodePort", selector: undefined }, ours(without("selector")), editor),
    undefined,
  ],
  "what somebody took is drift even when a new version wants something else besides": [
    settled(),
    liveService({ type: "NodePort", selector: { a: "b" } }, ours(without("selector")), editor),
    "Put back Service kubearmor: .spec.selector, after a write by kubectl-edit",
  ],
  "a new spec is no drift": [settled(2), liveService(taken, ours(oursWithoutTaken), editor), undefined],
  "a relay that was never complete has none": [
    settled(3, "False"),
    liveService(taken, ours(oursWithoutTaken), editor),
    undefined,
  ],
  "an older write by somebody else did not do it": [
    settled(),
    liveService(taken, ours(oursWithoutTaken), { ...editor, time: "2025-01-01T00:00:00Z" }),
    undefined,
  ],
  "while somebody keeps writing": [
    settled(3, "False", "Contended"),
    liveService(taken, ours(oursWithoutTaken), editor),
    "Put back Service kubearmor: .spec.type, .spec.ipFamilyPolicy, .spec.selector and 1 more, after a write by kubectl-edit",
  ],
  "a report in the status did not do it": [
    settled(),
    liveService(taken, ours(oursWithoutTaken), {
      manager: "kube-controller-manager",
      subresource: "status",
      time: later,
    }),
    undefined,
  ],
};

for (const [sentence, [relay, live, note]] of Object.entries(cases)) {
  test(`driftOf(): ${sentence}`, () => {
    const found = driftOf(relay, [{ desired: service(relay), live, paths: [".a"] }], us);
    assert.deepEqual(
      found.map(({ transition }) => transition.note),
      note === undefined ? [] : [note],
    );
    if (live !== undefined && note !== undefined) assert.equal(found[0]?.transition.related?.uid, "s");
  });
}

test("driftOf(), repairOf(): what was taken over is nobody's drift, whoever wrote it", () => {
  const live = liveService(taken, ours(oursWithoutTaken), editor);
  const write = { desired: service(settled()), live, paths: [".a"], adopts: true };
  assert.deepEqual(driftOf(settled(), [write], us), []);
  assert.equal(repairOf(write, us), undefined);
  assert.notEqual(repairOf({ ...write, adopts: false }, us), undefined);
});

test("driftOf(): an object of another namespace is named with that", () => {
  const relay = relayOf(
    { agents: { namespaces: ["a"] }, enrichment: { remoteHost: false } },
    { status: settled().status },
  );
  const [role] = discoveryRights(relay);
  assert.ok(role);
  assert.deepEqual(
    driftOf(relay, [{ desired: role, live: undefined, paths: [] }], us).map(({ transition }) => transition.note),
    ["Made Role kubearmor-relay:kubearmor:kubearmor-relay in a anew: it was gone"],
  );
});
