import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { FloodGuard } from "./flood-guard.ts";

const limit = { burst: 10, perSecond: 2 };

test("FloodGuard lets a burst pass, and the rate for ever", () => {
  const clock = new FakeClock();
  const guard = new FloodGuard(limit, clock);
  for (let done = 0; done < 10; done += 1) assert.equal(guard.isFlood(), false);
  for (let seconds = 0; seconds < 100; seconds += 1) {
    clock.advance(1_000);
    assert.equal(guard.isFlood(2), false);
  }
  assert.equal(guard.isFlood(), true);
});

test("FloodGuard saves up no more than a burst", () => {
  const clock = new FakeClock();
  const guard = new FloodGuard(limit, clock);
  clock.advance(3_600_000);
  assert.equal(guard.isFlood(10), false);
  assert.equal(guard.isFlood(), true);
});

test("FloodGuard.isFlood() is false for as long as no stretch of time has more than its burst and rate", () => {
  const steps = fc.array(fc.record({ waitMs: fc.nat(3_000), amount: fc.nat(8) }), { maxLength: 40 });
  fc.assert(
    fc.property(steps, (all) => {
      const clock = new FakeClock();
      const guard = new FloodGuard(limit, clock);
      const past: { atMs: number; amount: number }[] = [];
      for (const { waitMs, amount } of all) {
        clock.advance(waitMs);
        past.push({ atMs: clock.monotonic(), amount });
        let sum = 0;
        const isOver = past.toReversed().some((one) => {
          sum += one.amount;
          return sum > limit.burst + ((clock.monotonic() - one.atMs) / 1_000) * limit.perSecond;
        });
        assert.equal(guard.isFlood(amount), isOver);
        // From the first flood on there is no connection any more.
        if (isOver) return;
      }
    }),
  );
});
