import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { largestSlice, Pacer } from "./pacer.ts";

test("Pacer.take() keeps the rate, whatever the ticks", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 200 }),
      (perSecond, burst, ticks) => {
        const pacer = new Pacer({ perSecond, burst }, 0);
        const made = ticks.map((tick) => pacer.take(tick)).reduce((sum, due) => sum + due, 0);
        const elapsed = ticks.reduce((sum, tick) => sum + tick, 0);
        assert.equal(made % burst, 0);
        assert.ok(Math.abs(made - (perSecond * elapsed) / 1000) <= burst + 1e-6);
      },
    ),
  );
});

test("Pacer.take() after a stall gives a slice at a time and makes up for one second at most", () => {
  const pacer = new Pacer({ perSecond: 500, burst: 1 }, 0);
  assert.equal(pacer.take(60_000), largestSlice);
  assert.equal(pacer.behind, true);
  assert.equal(pacer.take(0), largestSlice);
  assert.equal(pacer.take(0), 100);
  assert.equal(pacer.behind, false);
});

test("Pacer.take() gives a burst whole, larger than a slice", () => {
  const pacer = new Pacer({ perSecond: 100, burst: 1500 }, 0);
  assert.equal(pacer.take(14_000), 0);
  assert.equal(pacer.take(1000), 1500);
});
