import assert from "node:assert/strict";
import { test } from "node:test";
import { below, decimals, exactly, figureTable, percentile, seconds, spread } from "./operator-figures.ts";

const limit = { limit: 2000, text: seconds };

const judged: Readonly<Record<string, readonly [readonly number[], boolean]>> = {
  "one value below the limit": [[1999], true],
  "the limit itself": [[2000], false],
  "one of several above it": [[10, 2001, 20], false],
  "nothing was seen": [[], false],
};

for (const [name, [values, isMet]] of Object.entries(judged)) {
  test(`below(): ${name}`, () => assert.equal(below("x", values, limit).isMet, isMet));
}

test("exactly(): what was measured is what was wanted, as text", () => {
  assert.equal(exactly("x", "0", "0").isMet, true);
  assert.equal(exactly("x", "0", "1").isMet, false);
});

test("percentile(): a value that was seen, whatever the order", () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.equal(percentile(values, 50), 50);
  assert.equal(percentile(values, 99), 99);
  assert.equal(percentile(values, 100), 100);
  assert.equal(percentile([7], 1), 7);
  assert.ok(Number.isNaN(percentile([], 50)));
});

test("spread(): median, worst and how many", () => {
  assert.equal(spread([1000, 3000, 2000]), "median 2.00 s, worst 3.00 s of 3");
});

test("decimals(): no zeros that say nothing", () => {
  assert.deepEqual([15, 12.5, 9.123].map(decimals), ["15", "12.5", "9.12"]);
});

test("figureTable(): required, measured, met", () => {
  const figures = [exactly("conflicts", "0", "3"), below("failover", [500], limit)];
  assert.deepEqual(figureTable(figures).split("\n"), [
    "figure     required  measured",
    "-".repeat(29),
    "conflicts  0         3         MISSED",
    "failover   < 2.00 s  0.50 s    met",
  ]);
});
