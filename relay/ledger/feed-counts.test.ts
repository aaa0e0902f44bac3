import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { addNodeFeedTotals, FeedCounts, noNodeFeedTotals } from "./feed-counts.ts";
import { noStreamEnds, streamEndReasons } from "./stream-end.ts";

test("FeedCounts.received() adds events and bytes, and knows when the last came", () => {
  const clock = new FakeClock(5_000);
  const counts = new FeedCounts(clock);
  assert.equal(counts.lastEventMs, undefined);
  counts.received(3, 300);
  clock.advance(10);
  counts.received(1, 50);
  const { events, bytes } = counts.totals();
  assert.deepEqual({ events, bytes, lastEventMs: counts.lastEventMs }, { events: 4, bytes: 350, lastEventMs: 5_010 });
  assert.deepEqual([counts.events, counts.bytes], [4, 350]);
});

for (const reason of streamEndReasons) {
  const isBreak = reason !== "refused";
  test(`FeedCounts.ended(): ${reason} of an open stream is ${isBreak ? "a break and begins a gap" : "no break"}`, () => {
    const clock = new FakeClock(1_000);
    const counts = new FeedCounts(clock);
    counts.received(1, 1);
    counts.opened();
    counts.ended(reason);
    const { breaks, ends, gaps } = counts.totals();
    assert.deepEqual(ends, { ...noStreamEnds(), [reason]: 1 });
    assert.equal(breaks, isBreak ? 1 : 0);
    assert.equal(gaps.count, isBreak ? 1 : 0);
    assert.deepEqual(counts.gaps, isBreak ? [{ fromMs: 1_000, toMs: undefined, reason, lastEventMs: 1_000 }] : []);
    assert.equal(counts.isOpen, false);
  });

  test(`FeedCounts.ended(): ${reason} of a stream that was not open is counted, and no break`, () => {
    const counts = new FeedCounts(new FakeClock());
    counts.ended(reason);
    assert.deepEqual(counts.totals(), { ...noNodeFeedTotals, ends: { ...noStreamEnds(), [reason]: 1 } });
  });
}

test("FeedCounts.opened() counts a stream that was not open", () => {
  const counts = new FeedCounts(new FakeClock());
  counts.opened();
  counts.opened();
  assert.equal(counts.isOpen, true);
  counts.ended("reset");
  counts.opened();
  assert.equal(counts.totals().openings, 2);
});

test("FeedCounts.left() closes without a break", () => {
  const clock = new FakeClock();
  const counts = new FeedCounts(clock);
  counts.opened();
  counts.left();
  clock.advance(1_000);
  assert.equal(counts.isOpen, false);
  assert.deepEqual(counts.totals(), { ...noNodeFeedTotals, openings: 1 });
});

test("addNodeFeedTotals() adds every count", () => {
  const ends = noStreamEnds();
  for (const [index, reason] of streamEndReasons.entries()) ends[reason] = index + 1;
  const one = { events: 1, bytes: 2, openings: 3, breaks: 4, ends, gaps: { count: 5, durationMs: 6 } };
  const twice = noStreamEnds();
  for (const reason of streamEndReasons) twice[reason] = ends[reason] * 2;
  assert.deepEqual(addNodeFeedTotals(one, noNodeFeedTotals), one);
  assert.deepEqual(addNodeFeedTotals(one, one), {
    events: 2,
    bytes: 4,
    openings: 6,
    breaks: 8,
    ends: twice,
    gaps: { count: 10, durationMs: 12 },
  });
});

test("FeedCounts.isRefused stays while a stream is asked for again, and goes when it ends in another way", () => {
  const counts = new FeedCounts(new FakeClock());
  assert.equal(counts.isRefused, false);
  counts.opened();
  counts.ended("refused");
  assert.equal(counts.isRefused, true);
  counts.opened();
  assert.equal(counts.isRefused, true);
  counts.ended("reset");
  assert.equal(counts.isRefused, false);
});
