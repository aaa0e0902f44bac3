import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { HeldWrites } from "./held-writes.ts";

function fixture() {
  const clock = new FakeClock();
  const written: string[] = [];
  const writes = new HeldWrites((bytes) => {
    written.push(bytes.toString());
    return 7;
  }, clock);
  return { clock, written, writes, say: (text: string) => writes.write(Buffer.from(text)) };
}

test("HeldWrites.write() writes at once while reads leave nothing", () => {
  const { clock, written, writes, say } = fixture();
  assert.equal(say("a"), 7);
  writes.onRead(false);
  assert.equal(say("b"), 7);
  assert.deepEqual([written, clock.pendingTimers], [["a", "b"], 0]);
});

test("HeldWrites.write() holds from a read that left something until nothing more has come for 2 ms", () => {
  const { clock, written, writes, say } = fixture();
  writes.onRead(true);
  assert.equal(say("a"), 1);
  clock.advance(100);
  writes.onRead(true);
  clock.advance(1);
  writes.onRead(false);
  assert.equal(say("bc"), 3);
  clock.advance(1);
  writes.onRead(false);
  clock.advance(1);
  assert.deepEqual(written, []);
  clock.advance(3);
  assert.deepEqual([written, clock.pendingTimers], [["abc"], 0]);
  assert.equal(say("d"), 7);
});

test("HeldWrites.write() holds nothing for more than half a second, whatever comes, or if nothing comes at all", () => {
  for (const isMoreRead of [true, false]) {
    const { clock, written, writes, say } = fixture();
    for (let rounds = 1; rounds <= 3; rounds++) {
      writes.onRead(true);
      say("a");
      for (let passedMs = 0; passedMs < 498; passedMs++) {
        clock.advance(1);
        if (isMoreRead) writes.onRead(true);
      }
      assert.equal(written.length, rounds - 1);
      clock.advance(2);
      assert.equal(written.length, rounds);
    }
    assert.equal(clock.pendingTimers, 0);
  }
});

test("HeldWrites.write() lets a loop that stood still read before it writes", () => {
  const written: string[] = [];
  const due: (() => void)[] = [];
  const callBack = (callback: () => void) => due.push(callback);
  let nowMs = 0;
  const clock = {
    monotonic: () => nowMs,
    soon: callBack,
    after(_: number, callback: () => void) {
      callBack(callback);
      return () => {};
    },
  };
  const next = () => (due.shift() ?? assert.fail("Nothing is due"))();
  const writes = new HeldWrites((bytes) => written.push(bytes.toString()), clock);
  writes.onRead(true);
  writes.write(Buffer.from("a"));
  writes.onRead(false);
  nowMs = 10_000;
  // Its timers come first, then its reads, then what is due soon.
  for (let turns = 0; turns < 9; turns++) {
    next();
    writes.onRead(true);
    next();
  }
  assert.deepEqual(written, []);
  next();
  writes.onRead(true);
  next();
  assert.deepEqual(written, ["a"]);
});

test("HeldWrites.release() writes what is held, once", () => {
  const { clock, written, writes, say } = fixture();
  writes.release();
  writes.onRead(true);
  say("a");
  clock.advance(2);
  writes.release();
  writes.release();
  clock.advance(1_000);
  assert.deepEqual([written, clock.pendingTimers], [["a"], 0]);
  assert.equal(say("b"), 7);
  writes.onRead(true);
  say("c");
  writes.release();
  assert.deepEqual([written, clock.pendingTimers], [["a", "b", "c"], 0]);
});
