import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "prom-client";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { runController } from "./controller.ts";
import { createControllerMetrics } from "./metrics.ts";
import { type Reconcile, TerminalError, done } from "./outcome.ts";
import { WorkQueue, defaultQueueOptions } from "./queue.ts";

const resyncMs = 36_000_000;

function exists(key: string): boolean {
  return key !== "gone";
}

interface Rig extends AsyncDisposable {
  readonly queue: WorkQueue;
  readonly clock: FakeClock;
  value(name: string, labels?: string): Promise<number>;
}

function start(reconcile: Reconcile, concurrency = 1): Rig {
  const clock = new FakeClock();
  const registry = new Registry();
  const metrics = createControllerMetrics(registry, "test", concurrency, clock);
  const queue = new WorkQueue(defaultQueueOptions, clock, metrics.queue);
  const stopping = new AbortController();
  const options = { concurrency, reconcileTimeoutMs: 60_000, resyncMs };
  const deps = { queue, reconcile, exists, clock, random: () => 0, log: silentLog, metrics };
  const ended = runController(options, deps, stopping.signal);
  return {
    queue,
    clock,
    async value(name, labels = "") {
      const lines = (await registry.metrics()).split("\n");
      const line = lines.find((each) => each.startsWith(`${name}{`) && each.includes(labels));
      assert.ok(line, `there is a metric ${name}`);
      return Number(line.slice(line.lastIndexOf(" ") + 1));
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await ended;
    },
  };
}

/** Lets everything that is ready run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A reconcile that fails as told, then succeeds. */
function failing(...errors: readonly Error[]): { readonly reconcile: Reconcile; readonly calls: () => number } {
  let calls = 0;
  const reconcile: Reconcile = () => {
    const error = errors[calls];
    calls += 1;
    return error === undefined ? Promise.resolve(done) : Promise.reject(error);
  };
  return { reconcile, calls: () => calls };
}

test("runController() retries what throws, with backoff, and forgets failures at success", async () => {
  const { reconcile, calls } = failing(new Error("one"), new Error("two"));
  await using rig = start(reconcile);
  rig.queue.add("a");
  await settle();
  assert.equal(calls(), 1);
  rig.clock.advance(5);
  await settle();
  assert.equal(calls(), 2);
  rig.clock.advance(9);
  await settle();
  assert.equal(calls(), 2, "the second wait is longer");
  rig.clock.advance(1);
  await settle();
  assert.equal(calls(), 3);
  assert.equal(await rig.value("controller_runtime_reconcile_total", 'result="success"'), 1);
  assert.equal(await rig.value("controller_runtime_reconcile_errors_total"), 2);
  assert.equal(await rig.value("workqueue_retries_total"), 2);
  assert.equal(rig.queue.retry("a"), defaultQueueOptions.initialBackoffMs, "the next failure is the first");
});

test("runController() does not retry a TerminalError until the key is added again", async () => {
  const { reconcile, calls } = failing(new TerminalError("no"));
  await using rig = start(reconcile);
  rig.queue.add("a");
  await settle();
  rig.clock.advance(defaultQueueOptions.maxBackoffMs);
  await settle();
  assert.equal(calls(), 1);
  assert.equal(await rig.value("controller_runtime_terminal_reconcile_errors_total"), 1);
  rig.queue.add("a");
  await settle();
  assert.equal(calls(), 2);
});

test("runController() counts a mistake of the program as a panic and goes on", async () => {
  const { reconcile, calls } = failing(new TypeError("undefined is not a function"));
  await using rig = start(reconcile);
  rig.queue.add("a");
  await settle();
  rig.clock.advance(5);
  await settle();
  assert.equal(calls(), 2);
  assert.equal(await rig.value("controller_runtime_reconcile_panics_total"), 1);
});

test("runController() looks at what exists again after hours, whether its pass succeeded or cannot be helped", async () => {
  const calls: string[] = [];
  await using rig = start((key) => {
    calls.push(key);
    return key === "bad" ? Promise.reject(new TerminalError("no")) : Promise.resolve(done);
  });
  for (const key of ["good", "bad", "gone"]) rig.queue.add(key);
  await settle();
  rig.clock.advance(resyncMs / 2 - 1);
  await settle();
  assert.deepEqual(calls, ["good", "bad", "gone"]);
  rig.clock.advance(1);
  await settle();
  assert.deepEqual(calls.slice(3), ["good", "bad"]);
});

test("runController() comes back when asked to", async () => {
  let calls = 0;
  await using rig = start(() => {
    calls += 1;
    return Promise.resolve(calls === 1 ? { kind: "requeue-after", afterMs: 1000 } : done);
  });
  rig.queue.add("a");
  await settle();
  rig.clock.advance(999);
  await settle();
  assert.equal(calls, 1);
  rig.clock.advance(1);
  await settle();
  assert.equal(calls, 2);
});

test("runController() aborts a reconcile that takes too long, and retries it", async () => {
  let calls = 0;
  await using rig = start((_key, signal) => {
    calls += 1;
    if (calls > 1) return Promise.resolve(done);
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error));
    });
  });
  rig.queue.add("a");
  await settle();
  rig.clock.advance(59_000);
  assert.equal(await rig.value("workqueue_longest_running_processor_seconds"), 59);
  assert.equal(await rig.value("workqueue_unfinished_work_seconds"), 59);
  rig.clock.advance(1_000);
  await settle();
  assert.equal(await rig.value("workqueue_longest_running_processor_seconds"), 0);
  assert.equal(await rig.value("controller_runtime_reconcile_timeouts_total"), 1);
  rig.clock.advance(5);
  await settle();
  assert.equal(calls, 2);
});

test("runController() works on as many keys as allowed, and on no key twice at once", async () => {
  const running = new Map<string, () => void>();
  let most = 0;
  await using rig = start((key) => {
    assert.ok(!running.has(key), `${key} runs twice at once`);
    const { promise, resolve } = Promise.withResolvers<typeof done>();
    running.set(key, () => {
      running.delete(key);
      resolve(done);
    });
    most = Math.max(most, running.size);
    return promise;
  }, 2);
  for (const key of ["a", "b", "c"]) rig.queue.add(key);
  await settle();
  rig.queue.add("a");
  await settle();
  assert.deepEqual([...running.keys()], ["a", "b"]);
  assert.equal(await rig.value("controller_runtime_active_workers"), 2);
  const finished: string[] = [];
  while (running.size > 0) {
    const [first] = running;
    assert.ok(first);
    finished.push(first[0]);
    first[1]();
    await settle();
  }
  assert.deepEqual(finished, ["a", "b", "c", "a"]);
  assert.equal(most, 2);
});

test("runController() aborts what runs when it is stopped, and resolves after it", async () => {
  let isAborted = false;
  const rig = start((_key, signal) => {
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        isAborted = true;
        reject(signal.reason as Error);
      });
    });
  });
  rig.queue.add("a");
  await settle();
  await rig[Symbol.asyncDispose]();
  assert.ok(isAborted);
  assert.equal(rig.queue.retry("a"), defaultQueueOptions.initialBackoffMs, "it is not counted as a failure");
});
