import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "./fake-clock.ts";
import { TokenBucket } from "./token-bucket.ts";

test("TokenBucket.take() takes what is in the bucket, and nothing of what is not", () => {
  const clock = new FakeClock(5_000);
  const bucket = new TokenBucket({ burst: 10, perSecond: 2 }, clock);
  assert.deepEqual([bucket.take(7), bucket.take(4), bucket.take(3), bucket.take(1)], [true, false, true, false]);
});

test("TokenBucket.take() finds what has dripped in, up to the bucket's size", () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket({ burst: 10, perSecond: 2 }, clock);
  bucket.take(10);
  clock.advance(499);
  assert.equal(bucket.take(1), false);
  clock.advance(1);
  assert.equal(bucket.take(1), true);
  clock.advance(60_000);
  assert.deepEqual([bucket.take(11), bucket.take(10), bucket.take(1)], [false, true, false]);
});

test("TokenBucket.isFull is whether all that was taken has dripped in again", () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket({ burst: 10, perSecond: 2 }, clock);
  assert.equal(bucket.isFull, true);
  bucket.take();
  clock.advance(499);
  assert.equal(bucket.isFull, false);
  clock.advance(1);
  assert.equal(bucket.isFull, true);
});

test("TokenBucket.take() succeeds for as long as no stretch of time has more than its burst and rate", () => {
  const rate = { burst: 10, perSecond: 2 };
  const steps = fc.array(fc.record({ waitMs: fc.nat(3_000), amount: fc.nat(8) }), { maxLength: 40 });
  fc.assert(
    fc.property(steps, (all) => {
      const clock = new FakeClock();
      const bucket = new TokenBucket(rate, clock);
      const past: { atMs: number; amount: number }[] = [];
      for (const { waitMs, amount } of all) {
        clock.advance(waitMs);
        past.push({ atMs: clock.monotonic(), amount });
        let sum = 0;
        const isOver = past.toReversed().some((one) => {
          sum += one.amount;
          // Sums of fractions: a billionth is no token.
          return sum > rate.burst + ((clock.monotonic() - one.atMs) * rate.perSecond) / 1_000 + 1e-9;
        });
        assert.equal(bucket.take(amount - Math.min(amount, 1e-9)), !isOver);
        if (isOver) return;
      }
    }),
  );
});
