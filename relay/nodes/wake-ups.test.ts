import assert from "node:assert/strict";
import { test } from "node:test";
import { WakeUps } from "./wake-ups.ts";

function fixture() {
  let nowMs = 0;
  let due: (() => void)[] = [];
  const slept: number[] = [];
  const turn = () => {
    const callbacks = due;
    due = [];
    for (const callback of callbacks) callback();
    return callbacks.length;
  };
  const sleep = (ms: number) => {
    slept.push(ms);
    nowMs += ms;
  };
  const clock = { monotonic: () => nowMs, soon: (callback: () => void) => due.push(callback) };
  return {
    wakeUps: new WakeUps({ intervalMs: () => 2 }, { clock, sleep }),
    slept,
    pass: (ms: number) => (nowMs += ms),
    turn,
    /** The loop turns until it has nothing to do but wait. */
    settle: () => {
      let turns = 0;
      while (turn() > 0) turns++;
      return turns;
    },
  };
}

test("WakeUps.onRead() never holds up events that come one by one", () => {
  const { wakeUps, slept, pass, settle } = fixture();
  for (let events = 0; events < 10; events++) {
    wakeUps.onRead(false);
    settle();
    pass(2);
  }
  assert.deepEqual(slept, []);
});

test("WakeUps.onRead() lets the loop sleep for the rest of the interval when reads come close, and wakes it once each", () => {
  const { wakeUps, slept, pass, settle } = fixture();
  wakeUps.onRead(false);
  settle();
  pass(1);
  wakeUps.onRead(false);
  settle();
  assert.deepEqual(slept, [2]);
  wakeUps.onRead(false);
  wakeUps.onRead(false);
  pass(0.5);
  settle();
  assert.deepEqual(slept, [2, 1.5]);
  pass(3);
  wakeUps.onRead(false);
  settle();
  assert.deepEqual(slept, [2, 1.5], "the load is over");
});

test("WakeUps.onRead() sleeps when what was read has been written, not before", () => {
  const { wakeUps, slept, turn, settle } = fixture();
  wakeUps.onRead(false);
  settle();
  wakeUps.onRead(false);
  turn();
  turn();
  assert.deepEqual(slept, []);
  wakeUps.onRead(false);
  turn();
  assert.deepEqual(slept, [2]);
  assert.equal(settle(), 0, "nothing is scheduled");
});

test("WakeUps.onRead() does not let the loop sleep while there is more to read, or the interval has passed", () => {
  const { wakeUps, slept, pass, settle } = fixture();
  wakeUps.onRead(false);
  settle();
  wakeUps.onRead(true);
  wakeUps.onRead(false);
  settle();
  wakeUps.onRead(false);
  pass(1.9);
  settle();
  assert.deepEqual(slept, []);
  wakeUps.onRead(false);
  settle();
  assert.deepEqual(slept, [2], "it is no more than it was");
});
