import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ReadTurns } from "./read-turns.ts";

function fixture(maxBytes: number) {
  let due: (() => void)[] = [];
  const turns = new ReadTurns({ maxBytes }, { soon: (callback) => due.push(callback) });
  const resumed: string[] = [];
  return {
    isScheduled: () => due.length > 0,
    read: (name: string, bytes: number) => turns.mayReadOn(bytes, () => resumed.push(name)),
    /** Who goes on in the next turn. */
    nextTurn: () => {
      const ending = due;
      due = [];
      for (const callback of ending) callback();
      return resumed.splice(0);
    },
  };
}

test("ReadTurns lets a socket read on until the turn has brought its share, and again in the next turn", () => {
  const { read, nextTurn, isScheduled } = fixture(256);
  assert.deepEqual([read("a", 64), read("a", 64), read("a", 64), read("a", 64)], [true, true, true, false]);
  assert.deepEqual(nextTurn(), ["a"]);
  assert.deepEqual([read("a", 64), read("a", 64)], [true, true]);
  assert.deepEqual(nextTurn(), []);
  assert.deepEqual([read("a", 64), read("a", 64), read("a", 64), read("a", 64)], [true, true, true, false]);
  nextTurn();
  assert.equal(isScheduled(), false, "nothing is scheduled when nobody reads");
});

test("ReadTurns serves in line who has more than a turn can bring, one read each", () => {
  const { read, nextTurn } = fixture(128);
  const names = ["a", "b", "c", "d", "e"];
  read("a", 64);
  for (const name of names) assert.equal(read(name, 64), false, name);
  assert.deepEqual(nextTurn(), ["a", "b"]);
  assert.equal(read("a", 64), false, "others wait");
  assert.equal(read("b", 64), false);
  assert.deepEqual(nextTurn(), ["c", "d"]);
  assert.deepEqual(nextTurn(), ["e", "a"], "who has no more is not waited for");
  assert.deepEqual(nextTurn(), ["b"]);
});

test("ReadTurns lets at least one go on, however large its reads", () => {
  const { read, nextTurn } = fixture(10);
  assert.equal(read("a", 64), false);
  assert.equal(read("b", 64), false);
  assert.deepEqual(nextTurn(), ["a"]);
  assert.deepEqual(nextTurn(), ["b"]);
});

test("ReadTurns forgets nobody, resumes each once, and bounds every turn but the one in which all came at once", () => {
  const reader = fc.record({ reads: fc.integer({ min: 1, max: 9 }), bytes: fc.integer({ min: 1, max: 64 }) });
  fc.assert(
    fc.property(fc.array(reader, { minLength: 1, maxLength: 20 }), (readers) => {
      const { read, nextTurn } = fixture(128);
      const left = new Map(readers.map(({ reads, bytes }, index) => [String(index), { reads, bytes }]));
      for (let [turn, ready] = [0, [...left.keys()]]; ready.length > 0; turn++) {
        let taken = 0;
        for (const name of ready) {
          const socket = left.get(name) ?? assert.fail(name);
          let mayGoOn = true;
          while (mayGoOn && socket.reads > 0) {
            socket.reads--;
            taken += socket.bytes;
            mayGoOn = read(name, socket.bytes);
          }
        }
        // A share for those who waited, and at most one for the first of them when nobody is left in line.
        if (turn > 0) assert.ok(taken <= 2 * (128 + 64), `${taken} bytes in a turn`);
        ready = nextTurn();
        assert.equal(new Set(ready).size, ready.length);
      }
      assert.ok([...left.values()].every(({ reads }) => reads === 0));
    }),
  );
});
