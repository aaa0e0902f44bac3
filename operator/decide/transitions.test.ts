import assert from "node:assert/strict";
import { test } from "node:test";
import type { Condition } from "../api/relay.ts";
import { transitionsOf } from "./transitions.ts";

const condition = (type: string, status: "True" | "False", reason: string, message = ""): Condition => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: "",
});

test("transitionsOf() tells what was entered, once", () => {
  const crashing = {
    conditions: [condition("Degraded", "True", "CrashLooping", "Pod a"), condition("Ready", "False", "x")],
  };
  assert.deepEqual(transitionsOf({}, crashing), [{ type: "Warning", reason: "CrashLooping", note: "Pod a" }]);
  const otherPod = { conditions: [condition("Degraded", "True", "CrashLooping", "Pod b")] };
  assert.deepEqual(transitionsOf(crashing, otherPod), [], "the same trouble in other words is no news");
  const pulling = { conditions: [condition("Degraded", "True", "ImagePullFailed", "Pod b")] };
  assert.equal(transitionsOf(crashing, pulling)[0]?.reason, "ImagePullFailed");
  const fine = {
    conditions: [condition("Degraded", "False", "AsExpected"), condition("Ready", "True", "RelayReady", "1 of 1")],
  };
  assert.deepEqual(transitionsOf(crashing, fine), [{ type: "Normal", reason: "RelayReady", note: "1 of 1" }]);
  assert.deepEqual(transitionsOf(fine, fine), []);
});

test("transitionsOf() warns of what is accepted and unwise", () => {
  const valid = { conditions: [condition("Accepted", "True", "Valid")] };
  const unwise = { conditions: [condition("Accepted", "True", "Unwise", "little memory")] };
  assert.deepEqual(transitionsOf(valid, unwise), [{ type: "Warning", reason: "Unwise", note: "little memory" }]);
  assert.deepEqual([...transitionsOf(unwise, unwise), ...transitionsOf(unwise, valid)], []);
});

test("transitionsOf(): that all is well for another reason is no news", () => {
  const ready = { conditions: [condition("Ready", "True", "RelayReady")] };
  assert.deepEqual(transitionsOf(ready, { conditions: [condition("Ready", "True", "Other")] }), []);
});
