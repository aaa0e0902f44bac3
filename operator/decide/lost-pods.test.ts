import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "../../lib/kube/types.ts";
import { deploymentOf } from "../testing/samples.ts";
import { type LostPods, lostPodsOf } from "./lost-pods.ts";

const nowMs = Date.UTC(2026, 0, 1, 12);
const ago = (seconds: number) => new Date(nowMs - seconds * 1_000).toISOString();

interface Seconds {
  /** Since it was made, which is when it started. */
  readonly age: number;
  /** Since its readiness changed last; undefined: no node has told of it. */
  readonly changed?: number;
  readonly isReady?: boolean;
  readonly phase?: string;
  readonly isLeaving?: boolean;
}

function pod({ age, changed, isReady = false, phase = "Running", isLeaving = false }: Seconds): KubeObject {
  const condition = changed === undefined ? [] : [{ type: "Ready", status: isReady ? "True" : "False" }];
  const conditions = condition.map(({ type, status }) => ({ type, status, lastTransitionTime: ago(changed ?? 0) }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "a", creationTimestamp: ago(age), ...(isLeaving ? { deletionTimestamp: ago(0) } : {}) },
    status: { phase, conditions, ...(changed === undefined ? {} : { startTime: ago(age) }) },
  };
}

const none: LostPods = { names: [], nextMs: undefined };
const cases: Readonly<Record<string, readonly [Seconds, LostPods]>> = {
  "a pod that serves is not": [{ age: 9_999, changed: 9_990, isReady: true }, none],
  "a pod that no node has told of is coming": [{ age: 5 }, { names: [], nextMs: 595_000 }],
  "a pod that is not ready since it started is coming": [
    { age: 90, changed: 89 },
    { names: [], nextMs: 510_000 },
  ],
  "a pod that was ready is lost at once": [
    { age: 90, changed: 10 },
    { names: ["a"], nextMs: undefined },
  ],
  "a pod that did not come within the deadline is lost": [
    { age: 600, changed: 600 },
    { names: ["a"], nextMs: undefined },
  ],
  "an evicted pod that was left lying does not count": [{ age: 9_999, changed: 10, phase: "Failed" }, none],
  "a pod that is being deleted does not count": [{ age: 9_999, changed: 10, isLeaving: true }, none],
};

for (const [sentence, [given, expected]] of Object.entries(cases)) {
  test(`lostPodsOf(): ${sentence}`, () => {
    assert.deepEqual(lostPodsOf([pod(given)], deploymentOf(), nowMs), expected);
  });
}

test("lostPodsOf() goes by the deadline of the Deployment, and says when the first is to be looked at again", () => {
  const deployment = { ...deploymentOf(), spec: { progressDeadlineSeconds: 100 } };
  assert.equal(lostPodsOf([pod({ age: 10 }), pod({ age: 30 }), pod({ age: 20 })], deployment, nowMs).nextMs, 70_000);
});
