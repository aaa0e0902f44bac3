import assert from "node:assert/strict";
import { test } from "node:test";
import { problemOfPods } from "../decide/pods.ts";
import { fieldManager } from "../desired/names.ts";
import { podOf } from "../testing/samples.ts";
import { childSources, podSource } from "./sources.ts";

const evicted = podOf({ state: { terminated: { exitCode: 137 } } }, { phase: "Failed", reason: "Evicted" });
const unschedulable = podOf(
  {},
  { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "no" }] },
);
const pulling = podOf({ state: { waiting: { reason: "ErrImagePull" } } });
const crashing = podOf({ started: false, state: { running: {} }, lastState: { terminated: { exitCode: 1 } } });
const initializing = podOf(
  {},
  { initContainerStatuses: [{ name: "first", image: "x", state: { waiting: { reason: "ErrImagePull" } } }] },
);

for (const [sentence, pod] of Object.entries({ evicted, unschedulable, pulling, crashing, initializing })) {
  test(`podSource.trim() keeps all that the problem of a pod is read from: ${sentence}`, () => {
    const trimmed = podSource.trim?.(pod);
    assert.ok(trimmed !== undefined);
    assert.deepEqual(problemOfPods([trimmed]), problemOfPods([pod]));
  });
}

test("podSource.trim() drops what nobody reads", () => {
  const pod = { ...podOf({}), metadata: { name: "p", managedFields: [{ manager: "kubelet" }] } };
  const trimmed = podSource.trim?.({ ...pod, spec: { nodeName: "n", containers: [{ name: "c", env: [] }] } });
  assert.deepEqual(trimmed?.["spec"], { containers: [{ name: "c", image: undefined }] });
  assert.deepEqual(trimmed?.metadata, { name: "p" });
});

test("childSources trim what others own to who and when, and keep all that is ours", () => {
  const ours = { manager: fieldManager, operation: "Apply", fieldsV1: { "f:data": {} } };
  const theirs = { manager: "kubectl", operation: "Update", time: "2026-01-01T00:00:00Z" };
  const managedFields = [ours, { ...theirs, fieldsV1: { "f:metadata": {} } }];
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c", managedFields }, data: {} };
  for (const { trim } of childSources) {
    assert.deepEqual(trim?.(object), { ...object, metadata: { name: "c", managedFields: [ours, theirs] } });
  }
});
