import assert from "node:assert/strict";
import { test } from "node:test";
import { deploymentOf, relayOf } from "../testing/samples.ts";
import type { Finding } from "./conditions.ts";
import {
  type Facts,
  hasSurplus,
  isAwaitingReport,
  isNumbersOnly,
  isProgressOnly,
  isSameStatus,
  nextStatus,
} from "./status.ts";

const facts: Facts = {
  selector: "a=b",
  endpoint: "kubearmor.kubearmor.svc:32767",
  image: "relay:1",
  settings: undefined,
  deployment: deploymentOf(),
};
const confirmed = {
  stdout: "none",
  version: "1.0.0",
  agents: { seen: 2, connected: 1 },
  loss: { dropped: 0, gaps: 3 },
};
const ready = (status: "True" | "False"): Finding => ({ type: "Ready", status, reason: "RelayReady", message: "" });
const first = nextStatus(relayOf(), [ready("True")], facts, confirmed, Date.UTC(2026, 0, 1, 0, 0, 0, 999));

test("nextStatus() names the generation it is about, everywhere, and times in whole seconds", () => {
  assert.equal(first.observedGeneration, 3);
  assert.deepEqual(first.conditions, [
    {
      type: "Ready",
      status: "True",
      reason: "RelayReady",
      message: "",
      observedGeneration: 3,
      lastTransitionTime: "2026-01-01T00:00:00Z",
    },
  ]);
});

test("nextStatus() moves lastTransitionTime only when the status of the condition changes", () => {
  const relay = relayOf({}, { status: first });
  const later = Date.UTC(2027, 0, 1);
  const same = nextStatus(relay, [{ ...ready("True"), message: "other words" }], facts, confirmed, later);
  assert.equal(same.conditions?.[0]?.lastTransitionTime, "2026-01-01T00:00:00Z");
  const changed = nextStatus(relay, [ready("False")], facts, confirmed, later);
  assert.equal(changed.conditions?.[0]?.lastTransitionTime, "2027-01-01T00:00:00Z");
});

function messageOf(message: string): string | undefined {
  return nextStatus(relayOf(), [{ ...ready("True"), message }], facts, confirmed, 0).conditions?.[0]?.message;
}

test("nextStatus() cuts a message that the server would refuse, between characters, and says so", () => {
  assert.equal(messageOf("x".repeat(32_768)), "x".repeat(32_768));
  assert.equal(messageOf("x".repeat(40_000)), `${"x".repeat(32_767)}…`);
  assert.equal(messageOf(`${"x".repeat(32_766)}😀${"x".repeat(9)}`), `${"x".repeat(32_766)}…`);
});

test("nextStatus() leaves out what there is nothing to say about", () => {
  const none = { ...facts, endpoint: undefined, image: undefined, deployment: undefined };
  const silent = { stdout: undefined, version: undefined, agents: undefined, loss: undefined };
  const status = nextStatus(relayOf(), [], none, silent, 0);
  assert.deepEqual(Object.keys(status).toSorted(), [
    "conditions",
    "observedGeneration",
    "readyReplicas",
    "replicas",
    "selector",
    "updatedReplicas",
  ]);
});

test("isSameStatus() does not see the order of conditions and those of others, but sees every change of ours", () => {
  const other = { type: "Theirs", status: "True", reason: "X", message: "", lastTransitionTime: "" } as const;
  const two = nextStatus(relayOf(), [ready("True"), { ...ready("True"), type: "Accepted" }], facts, confirmed, 0);
  const live = { ...two, conditions: [other, ...(two.conditions ?? []).toReversed()] };
  assert.ok(isSameStatus(live, two));
  assert.ok(!isSameStatus(live, { ...two, replicas: 2 }));
  assert.ok(!isSameStatus(live, { ...two, conditions: two.conditions?.slice(1) ?? [] }));
  assert.ok(!isSameStatus({ observedGeneration: -1 }, two));
});

const progress = (reason: Finding["reason"], message: string): Finding[] => [
  { type: "Ready", status: "False", reason, message },
  { type: "Progressing", status: "True", reason, message },
  { type: "Reconciling", status: "True", reason, message },
];
const rolling = nextStatus(relayOf(), progress("RolloutNotObserved", ""), facts, confirmed, 0);

const news: Readonly<Record<string, readonly [isProgress: boolean, after: ReturnType<typeof nextStatus>]>> = {
  "more pods, and other words": [
    true,
    nextStatus(relayOf(), progress("RolloutInProgress", "1 of 2"), facts, confirmed, 0),
  ],
  "the end of it": [false, nextStatus(relayOf(), [ready("True")], facts, confirmed, 0)],
  "another reason": [false, nextStatus(relayOf(), progress("CrashLooping", ""), facts, confirmed, 0)],
  "what pods report meanwhile": [
    true,
    nextStatus(relayOf(), progress("RolloutInProgress", ""), facts, { ...confirmed, stdout: undefined }, 0),
  ],
  "its end, but for the reports": [
    true,
    nextStatus(relayOf(), progress("AwaitingReport", "Pod a"), facts, confirmed, 0),
  ],
  "another image": [
    false,
    nextStatus(relayOf(), progress("RolloutInProgress", ""), { ...facts, image: "relay:2" }, confirmed, 0),
  ],
  "another generation": [false, { ...rolling, observedGeneration: 4 }],
};

for (const [sentence, [isProgress, after]] of Object.entries(news)) {
  test(`isProgressOnly() of a rollout: ${sentence} ${isProgress ? "is" : "is not"}`, () => {
    assert.equal(isProgressOnly(rolling, after), isProgress);
  });
}

const awaiting = nextStatus(relayOf(), progress("AwaitingReport", "Pod a"), facts, confirmed, 0);

test("isProgressOnly(): settings that change again before they were confirmed are no news but progress", () => {
  assert.ok(isProgressOnly(awaiting, { ...awaiting, observedGeneration: 9 }));
  assert.ok(!isProgressOnly(rolling, { ...awaiting, observedGeneration: 9 }));
});

test("isProgressOnly(): what changes while nothing is under way is none", () => {
  assert.ok(!isProgressOnly(first, { ...first, replicas: 2 }));
});

test("isAwaitingReport() is by the reason of Ready", () => {
  assert.ok(isAwaitingReport(awaiting));
  assert.ok(!isAwaitingReport(rolling));
  assert.ok(!isAwaitingReport({}));
});

test("isNumbersOnly(): agents and losses are, what is printed is not", () => {
  assert.ok(isNumbersOnly(first, { ...first, agents: { seen: 9, connected: 9 }, loss: { dropped: 1, gaps: 4 } }));
  assert.ok(!isNumbersOnly(first, { ...first, agents: { seen: 9, connected: 9 }, stdout: "alerts" }));
});

test("isSameStatus() does not see what pods wrote", () => {
  assert.ok(isSameStatus({ ...first, relays: [{ pod: "a" }] }, first));
});

test("hasSurplus() sees a condition and a field too many, and nothing of others", () => {
  const foreign = { type: "Theirs", status: "True", reason: "X", message: "", lastTransitionTime: "" } as const;
  const conditions = first.conditions ?? [];
  assert.ok(!hasSurplus({ ...first, relays: [{ pod: "a" }], conditions: [...conditions, foreign] }, first));
  assert.ok(hasSurplus({ ...first, conditions: [...conditions, { ...foreign, type: "Stalled" }] }, first));
  const { stdout: _stdout, ...unconfirmed } = first;
  assert.ok(hasSurplus(first, unconfirmed));
  assert.ok(!hasSurplus(unconfirmed, first), "what was not taken is no surplus");
});

test("isProgressOnly(): a condition of somebody else is none of it", () => {
  const foreign = { type: "Theirs", status: "True", reason: "X", message: "", lastTransitionTime: "" } as const;
  const next = nextStatus(relayOf(), progress("RolloutInProgress", "1 of 2"), facts, confirmed, 0);
  assert.ok(isProgressOnly({ ...rolling, conditions: [foreign, ...(rolling.conditions ?? [])] }, next));
});
