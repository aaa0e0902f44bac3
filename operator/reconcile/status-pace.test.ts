import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { StatusPace } from "./status-pace.ts";

test("StatusPace.waitMs() is what is left of two seconds since the relay's own last write, for numbers of ten", () => {
  const clock = new FakeClock();
  const pace = new StatusPace(clock);
  const waits = (...keys: readonly string[]) => keys.map((key) => pace.waitMs(key, "progress"));
  assert.deepEqual(waits("a"), [0]);
  pace.wrote("a");
  clock.advance(500);
  pace.wrote("b");
  assert.deepEqual(waits("a", "b"), [1_500, 2_000]);
  clock.advance(1_500);
  pace.wrote("c");
  assert.deepEqual(waits("a", "b", "c"), [0, 500, 2_000]);
  assert.deepEqual([pace.waitMs("a", "numbers"), pace.waitMs("c", "numbers")], [8_000, 10_000]);
  clock.advance(8_000);
  pace.wrote("d");
  assert.equal(pace.waitMs("a", "numbers"), 0);
});

test("StatusPace.patienceMs() is two seconds from the first time, until the reports are there", () => {
  const clock = new FakeClock();
  const pace = new StatusPace(clock);
  assert.equal(pace.patienceMs("a", "report"), 2_000);
  clock.advance(1_200);
  assert.deepEqual([pace.patienceMs("a", "report"), pace.patienceMs("b", "report")], [800, 2_000]);
  clock.advance(5_000);
  assert.equal(pace.patienceMs("a", "report"), 0);
  assert.equal(pace.patienceMs("a", "silence"), 3_800);
  pace.reported("a");
  assert.equal(pace.patienceMs("a", "report"), 2_000);
});

test("StatusPace.floorMs() is nothing for five writes at once, then one second each, for every relay by itself", () => {
  const clock = new FakeClock();
  const pace = new StatusPace(clock);
  const waits: number[] = [];
  for (let index = 0; index < 8; index += 1) {
    const waitMs = pace.floorMs("a");
    waits.push(waitMs);
    clock.advance(waitMs);
    pace.wrote("a");
  }
  assert.deepEqual(waits, [0, 0, 0, 0, 0, 1_000, 1_000, 1_000]);
  assert.equal(pace.floorMs("b"), 0);
  clock.advance(1_000);
  assert.equal(pace.floorMs("a"), 0);
  clock.advance(2_000);
  for (let index = 0; index < 3; index += 1) pace.wrote("a");
  assert.equal(pace.floorMs("a"), 1_000, "what was saved up is as much as the time that passed");
});
