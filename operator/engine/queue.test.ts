import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { type Priority, type QueueObserver, WorkQueue, backoffMs, defaultQueueOptions } from "./queue.ts";

const silent: QueueObserver = { added() {}, taken() {}, retried() {} };

function newQueue(): { readonly queue: WorkQueue; readonly clock: FakeClock } {
  const clock = new FakeClock();
  return { queue: new WorkQueue(defaultQueueOptions, clock, silent), clock };
}

/** What can be taken without waiting. */
async function takeReady(queue: WorkQueue): Promise<readonly string[]> {
  const keys: string[] = [];
  while (queue.depth > 0) {
    const key = await queue.take();
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

test("WorkQueue.add() keeps a key once, in order of arrival", async () => {
  const { queue } = newQueue();
  for (const key of ["a", "b", "a", "c", "b"]) queue.add(key);
  assert.deepEqual(await takeReady(queue), ["a", "b", "c"]);
});

test("WorkQueue.take() hands changes out before routine, and routine that has waited for long before both", async () => {
  const { queue, clock } = newQueue();
  queue.add("old", "routine");
  clock.advance(1);
  for (const key of ["a", "b"]) queue.add(key, "routine");
  queue.add("c");
  queue.add("b");
  assert.deepEqual([await queue.take(), await queue.take()], ["c", "b"], "a change of a routine key makes it one");
  clock.advance(defaultQueueOptions.maxRoutineWaitMs - 1);
  queue.add("d");
  assert.deepEqual(await takeReady(queue), ["old", "d", "a"]);
});

test("WorkQueue.add() of routine does not make a change wait", async () => {
  const { queue } = newQueue();
  queue.add("a");
  await queue.take();
  queue.add("a");
  queue.add("a", "routine");
  queue.add("b");
  queue.done("a");
  queue.add("c", "routine");
  queue.add("b", "routine");
  assert.deepEqual(await takeReady(queue), ["b", "a", "c"]);
});

test("WorkQueue.addAfter() keeps its priority", async () => {
  const { queue, clock } = newQueue();
  queue.addAfter("routine", 10, "routine");
  queue.addAfter("change", 11);
  clock.advance(11);
  assert.deepEqual(await takeReady(queue), ["change", "routine"]);
});

test("WorkQueue.take() waits for a key and hands each to one taker", async () => {
  const { queue } = newQueue();
  const takers = Promise.all([queue.take(), queue.take()]);
  queue.add("a");
  queue.add("b");
  assert.deepEqual(await takers, ["a", "b"]);
});

test("WorkQueue.done() brings a key back that was added while it was worked on", async () => {
  const { queue } = newQueue();
  queue.add("a");
  await queue.take();
  queue.add("a");
  queue.add("a");
  assert.equal(queue.depth, 0);
  queue.done("a");
  assert.deepEqual(await takeReady(queue), ["a"]);
  queue.done("a");
  assert.equal(queue.depth, 0);
});

test("WorkQueue.addAfter() keeps the earliest of several delays", async () => {
  const { queue, clock } = newQueue();
  queue.addAfter("a", 100);
  queue.addAfter("a", 10);
  queue.addAfter("a", 50);
  clock.advance(9);
  assert.equal(queue.depth, 0);
  clock.advance(1);
  assert.deepEqual(await takeReady(queue), ["a"]);
  queue.done("a");
  clock.advance(1000);
  assert.equal(queue.depth, 0, "the later delays are gone");
});

test("WorkQueue.add() ends a delay: the pass that comes decides anew", async () => {
  const { queue, clock } = newQueue();
  queue.addAfter("a", 100);
  queue.add("a");
  assert.deepEqual(await takeReady(queue), ["a"]);
  queue.done("a");
  clock.advance(1000);
  assert.equal(queue.depth, 0);
});

test("WorkQueue.retry() doubles the wait up to the maximum, forget() starts over", async () => {
  const { queue, clock } = newQueue();
  const waits: number[] = [];
  for (let failure = 0; failure < 20; failure += 1) {
    queue.add("a");
    await queue.take();
    waits.push(queue.retry("a"));
    queue.done("a");
  }
  assert.deepEqual(waits.slice(0, 4), [5, 10, 20, 40]);
  assert.equal(waits.at(-1), defaultQueueOptions.maxBackoffMs);
  queue.forget("a");
  clock.advance(defaultQueueOptions.maxBackoffMs);
  await queue.take();
  assert.equal(queue.retry("a"), 5);
});

test("WorkQueue.close() ends waiting takers and drops what was delayed", async () => {
  const { queue, clock } = newQueue();
  const waiting = queue.take();
  queue.addAfter("a", 10);
  queue.close();
  assert.equal(await waiting, undefined);
  clock.advance(10);
  queue.add("b");
  assert.equal(await queue.take(), undefined);
});

test("backoffMs() never decreases and never exceeds the maximum", () => {
  fc.assert(
    fc.property(fc.nat(2000), (failures) => {
      const wait = backoffMs(failures, defaultQueueOptions);
      assert.ok(wait <= defaultQueueOptions.maxBackoffMs);
      assert.ok(wait <= backoffMs(failures + 1, defaultQueueOptions));
    }),
  );
});

type Step =
  | { readonly kind: "add" | "take" | "done" | "fail"; readonly key: string; readonly priority: Priority }
  | { readonly kind: "later"; readonly key: string; readonly delayMs: number; readonly priority: Priority }
  | { readonly kind: "wait"; readonly ms: number };

const key = fc.constantFrom("a", "b", "c");
const priority = fc.constantFrom("change" as const, "routine" as const);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constantFrom("add" as const, "take" as const, "done" as const, "fail" as const),
      key,
      priority,
    }),
    fc.record({ kind: fc.constant("later" as const), key, delayMs: fc.nat(100), priority }),
    fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(200) }),
  ),
  { maxLength: 60 },
);

test("WorkQueue: whatever happens, a key is never out twice and no addition is lost", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const { queue, clock } = newQueue();
      const out = new Set<string>();
      /** Keys added since they were last handed out. */
      const owed = new Set<string>();
      const hand = (taken: string | undefined) => {
        assert.ok(taken !== undefined && !out.has(taken), `${taken ?? "nothing"} is out twice`);
        out.add(taken);
        owed.delete(taken);
      };
      for (const step of sequence) {
        if (step.kind === "wait") clock.advance(step.ms);
        else if (step.kind === "later") {
          queue.addAfter(step.key, step.delayMs, step.priority);
          owed.add(step.key);
        } else if (step.kind === "add") {
          queue.add(step.key, step.priority);
          owed.add(step.key);
        } else if (step.kind === "take") {
          if (queue.depth > 0) hand(await queue.take());
        } else if (out.has(step.key)) {
          if (step.kind === "fail") {
            queue.retry(step.key);
            owed.add(step.key);
          }
          out.delete(step.key);
          queue.done(step.key);
        }
      }
      for (const each of out) queue.done(each);
      out.clear();
      clock.advance(defaultQueueOptions.maxBackoffMs);
      while (queue.depth > 0) hand(await queue.take());
      assert.deepEqual([...owed], []);
    }),
  );
});
