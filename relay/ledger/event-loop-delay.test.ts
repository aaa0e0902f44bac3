import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { EventLoopDelay } from "./event-loop-delay.ts";

/** A histogram that says what it is told, in milliseconds between two ticks. */
function fakeHistogram() {
  const its = { count: 0, p50: 0, p99: 0, max: 0, isEnabled: false };
  return {
    its,
    get count() {
      return its.count;
    },
    get max() {
      return its.max * 1e6;
    },
    percentile: (percentile: number) => (percentile === 50 ? its.p50 : its.p99) * 1e6,
    enable: () => (its.isEnabled = true),
    disable: () => !(its.isEnabled = false),
    reset() {
      Object.assign(its, { count: 0, p50: 0, p99: 0, max: 0 });
    },
  };
}

test("EventLoopDelay.summary() is the delay beyond the ticks: of the first minute, then of the last whole one", () => {
  const clock = new FakeClock();
  const histogram = fakeHistogram();
  using delay = new EventLoopDelay(clock, histogram);
  assert.deepEqual(delay.summary(), { p50Ms: 0, p99Ms: 0, maxMs: 0 });
  Object.assign(histogram.its, { count: 5, p50: 9.9, p99: 12.34, max: 60 });
  const first = { p50Ms: 0, p99Ms: 2.3, maxMs: 50 };
  assert.deepEqual(delay.summary(), first);
  clock.advance(60_000);
  Object.assign(histogram.its, { count: 5, p50: 10, p99: 11, max: 12 });
  assert.deepEqual(delay.summary(), first);
  clock.advance(60_000);
  assert.deepEqual(delay.summary(), { p50Ms: 0, p99Ms: 1, maxMs: 2 });
});

test("EventLoopDelay leaves nothing behind", () => {
  const clock = new FakeClock();
  const histogram = fakeHistogram();
  const delay = new EventLoopDelay(clock, histogram);
  assert.equal(histogram.its.isEnabled, true);
  clock.advance(150_000);
  delay[Symbol.dispose]();
  assert.deepEqual([histogram.its.isEnabled, clock.pendingTimers], [false, 0]);
});
