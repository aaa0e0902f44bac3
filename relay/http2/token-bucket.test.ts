import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
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
