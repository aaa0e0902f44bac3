import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { StatusPace } from "./status-pace.ts";

test("StatusPace.waitMs() is what is left of two seconds since the relay's own last write", () => {
  const clock = new FakeClock();
  const pace = new StatusPace(clock);
  assert.equal(pace.waitMs("a"), 0);
  pace.wrote("a");
  clock.advance(500);
  pace.wrote("b");
  assert.deepEqual([pace.waitMs("a"), pace.waitMs("b")], [1_500, 2_000]);
  clock.advance(1_500);
  pace.wrote("c");
  assert.deepEqual([pace.waitMs("a"), pace.waitMs("b"), pace.waitMs("c")], [0, 500, 2_000]);
});
