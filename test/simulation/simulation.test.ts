import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "./simulation.ts";

/** As many as take some ten seconds; `main.ts --seeds` runs more. */
const seeds = 300;
const seedsAGroup = 50;

for (let from = 1; from <= seeds; from += seedsAGroup) {
  test(`Relay in the worlds of seeds ${from} to ${from + seedsAGroup - 1} loses nothing in silence, and recovers`, async () => {
    for (let seed = from; seed < from + seedsAGroup; seed++) {
      const { violation, steps } = await simulate(seed);
      assert.equal(violation, undefined, `seed ${seed}, step ${steps}: ${violation?.rule}: ${violation?.message}`);
    }
  });
}

test("simulate() replays a seed exactly, whether it keeps the trace or not", async () => {
  for (const seed of [3, 17]) {
    const first = await simulate(seed);
    const again = await simulate(seed, { keepsTrace: true });
    assert.deepEqual({ ...again, trace: [] }, first);
    assert.ok(again.trace.length > 0);
  }
});

test("simulate() makes another world of another seed", async () => {
  const hashes = await Promise.all([simulate(1), simulate(2), simulate(3)]);
  assert.equal(new Set(hashes.map(({ traceHash }) => traceHash)).size, 3);
});
