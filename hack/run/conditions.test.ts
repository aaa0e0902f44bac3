import assert from "node:assert/strict";
import { test } from "node:test";
import { changedConditions, type Condition, isReady, parseObserved } from "./conditions.ts";

const progressing: Condition = {
  type: "Ready",
  status: "False",
  reason: "Progressing",
  message: "0 of 1 pods are ready",
};
const ready: Condition = { type: "Ready", status: "True", reason: "Serving", message: "" };

test("changedConditions() names new and changed conditions, and no others", () => {
  assert.deepEqual(changedConditions([], [progressing]), ["Ready=False Progressing: 0 of 1 pods are ready"]);
  assert.deepEqual(changedConditions([progressing], [progressing]), []);
  assert.deepEqual(changedConditions([progressing], [ready]), ["Ready=True Serving"]);
});

const cases: Record<string, { object: object; wanted: boolean }> = {
  "an object without status is not ready": { object: { metadata: { generation: 1 } }, wanted: false },
  "Ready=True of the newest spec is ready": {
    object: { metadata: { generation: 2 }, status: { observedGeneration: 2, conditions: [ready] } },
    wanted: true,
  },
  "Ready=True of an older spec is not ready": {
    object: { metadata: { generation: 2 }, status: { observedGeneration: 1, conditions: [ready] } },
    wanted: false,
  },
  "Ready=False is not ready": {
    object: { metadata: { generation: 1 }, status: { observedGeneration: 1, conditions: [progressing] } },
    wanted: false,
  },
};

for (const [name, { object, wanted }] of Object.entries(cases)) {
  test(`isReady(): ${name}`, () => assert.equal(isReady(parseObserved(JSON.stringify(object))), wanted));
}
