import assert from "node:assert/strict";
import { test } from "node:test";
import type { ListWatch } from "../lib/kube/list-watch.ts";
import { pods } from "../lib/kube/resources.ts";
import type { ListWatchOptions } from "../lib/kube/types.ts";
import { FakeClock } from "../lib/process/fake-clock.ts";
import { done } from "./engine/outcome.ts";
import { Liveness, type Vitals, livenessProblems } from "./liveness.ts";

const limits = { reconcileTimeoutMs: 60_000 };
const late = (count: number, lagMs: number) => Array.from({ length: count }, () => lagMs);
const watch = { resource: "pods", heardMs: 0, isFailing: false, lifetimeMs: 360_000 };

const cases: Readonly<Record<string, readonly [vitals: Partial<Vitals>, expected: readonly string[]]>> = {
  "nothing happens": [{}, []],
  "timers are late, but not for long": [{ lagsMs: late(9, 9_000) }, []],
  "the machine was frozen for a minute": [{ lagsMs: [...late(9, 1), 60_000] }, []],
  "timers are late all the time": [
    { lagsMs: late(10, 2_500) },
    ["The event loop was 2500 ms late or more for the last 10 times"],
  ],
  "a watch is silent for its lifetime and three minutes": [{ nowMs: 540_000, watches: [watch] }, []],
  "a watch is silent for longer": [
    { nowMs: 541_000, watches: [watch] },
    ["The watch of pods was not heard of for 541 s"],
  ],
  "a watch fails for an hour: the server is to blame": [
    { nowMs: 3_600_000, watches: [{ ...watch, isFailing: true }] },
    [],
  ],
  "a reconcile runs as long as it may, and a little more": [
    { nowMs: 120_000, passes: [{ key: "a/b", sinceMs: 0 }] },
    [],
  ],
  "a reconcile does not end": [
    { nowMs: 121_000, passes: [{ key: "a/b", sinceMs: 0 }] },
    ["The reconcile of a/b has not ended for 121 s"],
  ],
};

for (const [sentence, [vitals, expected]] of Object.entries(cases)) {
  test(`livenessProblems(): ${sentence}`, () => {
    assert.deepEqual(livenessProblems({ nowMs: 0, lagsMs: [], watches: [], passes: [], ...vitals }, limits), expected);
  });
}

/** A clock whose timers come late. */
class LateClock extends FakeClock {
  lagMs = 0;

  override after(delayMs: number, callback: () => void): () => void {
    return super.after(delayMs + this.lagMs, callback);
  }
}

test("Liveness measures how late timers are, and ends with its last one", () => {
  const clock = new LateClock();
  const liveness = new Liveness(limits, clock);
  clock.lagMs = 3_000;
  clock.advance(60_000);
  assert.deepEqual(liveness.problems(), ["The event loop was 3000 ms late or more for the last 10 times"]);
  clock.lagMs = 0;
  clock.advance(10_000);
  assert.deepEqual(liveness.problems(), []);
  liveness[Symbol.dispose]();
  assert.equal(clock.pendingTimers, 0);
});

test("Liveness watches over reconciles until they end", async () => {
  const clock = new FakeClock();
  using liveness = new Liveness(limits, clock);
  const { promise, resolve } = Promise.withResolvers<typeof done>();
  const running = liveness.around(() => promise)("a/b", new AbortController().signal);
  clock.advance(121_000);
  assert.equal(liveness.problems().length, 1);
  resolve(done);
  await running;
  assert.deepEqual(liveness.problems(), []);
});

test("Liveness hears of a watch by each of its callbacks, and not after its end", async () => {
  const clock = new FakeClock();
  using liveness = new Liveness(limits, clock);
  const heard: string[] = [];
  let hooks: ListWatchOptions | undefined;
  const inner: ListWatch = {
    synced: Promise.resolve(),
    state: { kind: "synced" },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const options = {
    resource: pods,
    scope: {},
    onChange: () => heard.push("change"),
    onState: () => heard.push("state"),
    onRestart: () => heard.push("restart"),
  };
  const listWatch = liveness.watch(options, (given) => {
    hooks = given;
    return inner;
  });
  assert.equal(listWatch.state.kind, "synced");
  clock.advance(1_000_000);
  assert.deepEqual(liveness.problems(), [], "what was never listed is not said to be deaf");
  hooks?.onState?.({ kind: "synced" });
  // As long as a watch lasts by default, and three minutes.
  clock.advance(300_000);
  hooks?.onRestart?.("timeout");
  clock.advance(300_000);
  assert.deepEqual(liveness.problems(), []);
  hooks?.onChange({ kind: "replaced", objects: [] });
  clock.advance(300_001);
  assert.deepEqual(liveness.problems(), ["The watch of pods was not heard of for 300 s"]);
  assert.deepEqual([...liveness.eventAgesMs()], [["Pod", 300_001]]);
  assert.deepEqual(heard, ["state", "restart", "change"]);
  await listWatch[Symbol.asyncDispose]();
  assert.deepEqual(liveness.problems(), []);
});
