import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { History, perFeed } from "./history.ts";

function start() {
  const clock = new FakeClock();
  let alerts = 0;
  const history = new History({ stepMs: 100, keepMs: 1_000 }, clock, () =>
    perFeed((feed) => (feed === "alerts" ? alerts : 0)),
  );
  const come = (events: number, thenMs: number) => {
    history.note();
    alerts += events;
    clock.advance(thenMs);
  };
  return { history, clock, come };
}

test("History.since() is never less than what has come, and at most a step's events more", () => {
  const { history, come } = start();
  come(1, 130);
  come(10, 100);
  come(100, 20);
  assert.equal(history.since("alerts", 0), 111);
  assert.equal(history.since("alerts", 99), 111);
  assert.equal(history.since("alerts", 150), 110);
  assert.equal(history.since("alerts", 230), 100);
  assert.equal(history.since("logs", 150), 0);
});

test("History.after() is never more than what has come, and at most a step's events less", () => {
  const { history, come } = start();
  come(1, 130);
  come(10, 100);
  come(100, 20);
  assert.equal(history.after("alerts", 0), 111);
  assert.equal(history.after("alerts", 90), 110);
  assert.equal(history.after("alerts", 150), 100);
  assert.equal(history.after("alerts", 1_000), 0);
  assert.equal(history.after("alerts", -1), undefined);
});

test("History.since() does not know what was before its time", () => {
  const { history, come } = start();
  assert.equal(history.since("alerts", -1), undefined);
  for (let step = 0; step < 30; step++) come(1, 100);
  assert.equal(history.since("alerts", 10), undefined);
  assert.equal(history.since("alerts", 2_000), 10);
});

test("History goes back as far as it was told to, whenever it is asked", () => {
  const { history, clock, come } = start();
  for (let step = 0; step < 100; step++) {
    come(1, 100);
    if (clock.now() >= 1_000) assert.notEqual(history.since("alerts", clock.now() - 1_000), undefined);
  }
});

test("History knows what had come before a time without events, however long that was", () => {
  const { history, clock, come } = start();
  for (let step = 0; step < 19; step++) come(1, 100);
  clock.advance(60_000);
  for (let step = 0; step < 5; step++) come(1, 100);
  assert.equal(history.since("alerts", 30_000), 5);
  assert.equal(history.timeOf("alerts", 19), 61_900);
});

test("History looks at nothing while nothing comes", () => {
  const { clock, come } = start();
  assert.equal(clock.pendingTimers, 0);
  come(5, 50);
  assert.equal(clock.pendingTimers, 1);
  clock.advance(200);
  assert.equal(clock.pendingTimers, 0);
});

test("History.timeOf() is a time by which no more than that had come", () => {
  const { history, come } = start();
  come(5, 250);
  come(5, 100);
  assert.equal(history.timeOf("alerts", 4), 0);
  assert.equal(history.timeOf("alerts", 5), 250);
  assert.equal(history.timeOf("alerts", 10), 350);
});

test("History leaves no timer", () => {
  const { history, clock, come } = start();
  come(1, 0);
  assert.equal(clock.pendingTimers, 1);
  history[Symbol.dispose]();
  assert.equal(clock.pendingTimers, 0);
});
