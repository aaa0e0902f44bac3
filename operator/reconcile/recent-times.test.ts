import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentTimes } from "./recent-times.ts";

test("RecentTimes.set() drops what is too old to matter", () => {
  const times = new RecentTimes(100);
  times.set("a", 0, 0);
  times.set("b", 50, 50);
  times.set("c", 99, 99);
  assert.deepEqual([times.get("a"), times.get("b"), times.size], [0, 50, 3]);
  times.set("d", 150, 150);
  assert.deepEqual([times.get("a"), times.get("b"), times.get("c"), times.size], [undefined, undefined, 99, 2]);
});

test("RecentTimes.set() of a key makes it the youngest", () => {
  const times = new RecentTimes(100);
  times.set("a", 0, 0);
  times.set("b", 10, 10);
  times.set("a", 90, 90);
  times.set("c", 120, 120);
  assert.deepEqual([times.get("a"), times.get("b"), times.size], [90, undefined, 2]);
  times.delete("a");
  assert.equal(times.get("a"), undefined);
});
