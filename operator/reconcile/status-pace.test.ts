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
  assert.equal(pace.patienceMs("a"), 2_000);
  clock.advance(1_200);
  assert.deepEqual([pace.patienceMs("a"), pace.patienceMs("b")], [800, 2_000]);
  clock.advance(5_000);
  assert.equal(pace.patienceMs("a"), 0);
  pace.reported("a");
  assert.equal(pace.patienceMs("a"), 2_000);
});
