import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../process/fake-clock.ts";
import { silentLog } from "../process/log.ts";
import { ApiError } from "./errors.ts";
import { createEventRecorder, referenceTo } from "./events.ts";
import type { EventFacts, EventOutcome, EventRecorder } from "./events.ts";
import { settle } from "./testing/recording-clock.ts";
import type { KubeObject } from "./types.ts";

const regarding = { apiVersion: "v1", kind: "Pod", namespace: "a", name: "p", uid: "u" };
const facts: EventFacts = { regarding, type: "Warning", reason: "ApplyFailed", action: "Apply", note: "it failed" };

interface Recording extends AsyncDisposable {
  readonly recorder: EventRecorder;
  readonly clock: FakeClock;
  readonly created: KubeObject[];
  readonly patches: { readonly name: string; readonly patch: unknown }[];
  readonly outcomes: EventOutcome[];
  failWith: Error | undefined;
}

function recording(): Recording {
  const clock = new FakeClock(1_700_000_000_000);
  const created: KubeObject[] = [];
  const patches: Recording["patches"] = [];
  const outcomes: EventOutcome[] = [];
  const client = {
    create: async (_: unknown, object: KubeObject) => {
      await settleOnce();
      if (state.failWith !== undefined) throw state.failWith;
      created.push(object);
      return object;
    },
    mergePatch: async (_: unknown, { name }: { readonly name: string }, patch: unknown) => {
      await settleOnce();
      if (state.failWith !== undefined) throw state.failWith;
      patches.push({ name, patch });
      return { apiVersion: "v1", kind: "Event", metadata: { name } };
    },
  };
  const recorder = createEventRecorder(
    { controller: "operator.kubearmor.com/relay", instance: "operator-0" },
    { client, clock, random: () => 0.5, log: silentLog, onOutcome: (outcome) => outcomes.push(outcome) },
  );
  const state: Recording = {
    recorder,
    clock,
    created,
    patches,
    outcomes,
    failWith: undefined,
    [Symbol.asyncDispose]: () => recorder[Symbol.asyncDispose](),
  };
  return state;
}

function settleOnce(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

async function pass(clock: FakeClock, ms: number): Promise<void> {
  clock.advance(ms);
  await settle();
}

test("EventRecorder.record() creates an Event of events.k8s.io/v1", async () => {
  await using state = recording();
  state.recorder.record(facts);
  await settle();
  assert.deepEqual(state.created, [
    {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { namespace: "a", name: "p.18bcfe568007fffffff" },
      eventTime: "2023-11-14T22:13:20.000000Z",
      reportingController: "operator.kubearmor.com/relay",
      reportingInstance: "operator-0",
      type: "Warning",
      reason: "ApplyFailed",
      action: "Apply",
      note: "it failed",
      regarding,
    },
  ]);
  assert.deepEqual(state.outcomes, ["created"]);
});

test("EventRecorder.record() of a thousand failures is one Event with their count, in few writes", async () => {
  const state = recording();
  for (let count = 0; count < 1000; count += 1) {
    state.recorder.record({ ...facts, note: `attempt ${count}` });
    await pass(state.clock, 100);
  }
  await state[Symbol.asyncDispose]();
  assert.equal(state.created.length, 1);
  assert.ok(state.patches.length < 15, String(state.patches.length));
  assert.deepEqual(state.patches.at(-1)?.patch, {
    series: { count: 1000, lastObservedTime: "2023-11-14T22:14:59.900000Z" },
  });
});

test("EventRecorder.record() of what does not repeat writes nothing more", async () => {
  await using state = recording();
  state.recorder.record(facts);
  await pass(state.clock, 3_600_000);
  assert.deepEqual(state.patches, []);
  assert.equal(state.clock.pendingTimers, 0);
});

test("EventRecorder.record() begins a new Event when the last occurrence was six minutes ago", async () => {
  await using state = recording();
  state.recorder.record(facts);
  await pass(state.clock, 359_999);
  state.recorder.record(facts);
  await pass(state.clock, 60_000);
  assert.equal(state.created.length, 1);
  assert.equal(state.patches.length, 1);
  await pass(state.clock, 300_000);
  state.recorder.record(facts);
  await settle();
  assert.equal(state.created.length, 2);
});

const different: Readonly<Record<string, EventFacts>> = {
  "another reason": { ...facts, reason: "Other" },
  "another type": { ...facts, type: "Normal" },
  "another action": { ...facts, action: "Prune" },
  "another object": { ...facts, regarding: { ...regarding, name: "q" } },
  "an object made anew": { ...facts, regarding: { ...regarding, uid: "v" } },
  "another related object": { ...facts, related: { ...regarding, name: "r" } },
};

for (const [sentence, other] of Object.entries(different)) {
  test(`EventRecorder.record() of ${sentence} is another Event`, async () => {
    await using state = recording();
    state.recorder.record(facts);
    state.recorder.record(other);
    await settle();
    assert.equal(state.created.length, 2);
  });
}

test("EventRecorder.record() lets 25 events about one object through, then one in five minutes", async () => {
  await using state = recording();
  const burst = (prefix: string) => {
    for (let count = 0; count < 30; count += 1) state.recorder.record({ ...facts, reason: `${prefix}${count}` });
  };
  burst("First");
  await settle();
  assert.equal(state.created.length, 25);
  assert.equal(state.outcomes.filter((outcome) => outcome === "dropped").length, 5);
  state.recorder.record({ ...facts, regarding: { ...regarding, uid: "other" } });
  await settle();
  assert.equal(state.created.length, 26);
  await pass(state.clock, 300_000);
  burst("Second");
  await settle();
  assert.equal(state.created.length, 27);
});

test("EventRecorder.record() never throws, and tries anew at the next occurrence", async () => {
  await using state = recording();
  state.failWith = new Error("refused");
  state.recorder.record(facts);
  await settle();
  assert.deepEqual(state.outcomes, ["failed"]);
  state.failWith = undefined;
  state.recorder.record(facts);
  await settle();
  assert.equal(state.created.length, 1);
});

test("EventRecorder writes a count that it could not write with the next one", async () => {
  await using state = recording();
  state.recorder.record(facts);
  await settle();
  state.failWith = new Error("refused");
  state.recorder.record(facts);
  await pass(state.clock, 1_000);
  state.failWith = undefined;
  await pass(state.clock, 2_000);
  assert.deepEqual(state.outcomes, ["created", "failed", "updated"]);
});

test("EventRecorder begins a new Event when the server has dropped the old one", async () => {
  await using state = recording();
  state.recorder.record(facts);
  await settle();
  state.failWith = new ApiError(404, { reason: "NotFound" }, { verb: "patch", resource: "events" });
  state.recorder.record(facts);
  await pass(state.clock, 1_000);
  state.failWith = undefined;
  state.recorder.record(facts);
  await settle();
  assert.equal(state.created.length, 2);
});

test("EventRecorder: an Event about something cluster-scoped lives in the namespace default", async () => {
  await using state = recording();
  state.recorder.record({ ...facts, regarding: { apiVersion: "v1", kind: "Node", name: "n" } });
  await settle();
  assert.equal(state.created[0]?.metadata.namespace, "default");
});

test("EventRecorder cuts a note at 1,024 bytes, between characters", async () => {
  await using state = recording();
  state.recorder.record({ ...facts, note: "é".repeat(600) });
  await settle();
  const note = String(state.created[0]?.["note"]);
  assert.equal(note, `${"é".repeat(510)}...`);
  assert.ok(Buffer.byteLength(note) <= 1024);
});

test("EventRecorder: after its end it records nothing and leaves no timer", async () => {
  const state = recording();
  state.recorder.record(facts);
  await state[Symbol.asyncDispose]();
  assert.deepEqual(state.outcomes, ["created"]);
  state.recorder.record({ ...facts, reason: "Late" });
  await settle();
  assert.deepEqual(state.outcomes, ["created", "dropped"]);
  assert.equal(state.clock.pendingTimers, 0);
});

test("referenceTo() takes over what names an object", () => {
  const metadata = { name: "p", namespace: "a", uid: "u", resourceVersion: "7", labels: { x: "y" } };
  assert.deepEqual(referenceTo({ apiVersion: "v1", kind: "Pod", metadata, spec: {} }), {
    ...regarding,
    resourceVersion: "7",
  });
});
