import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Arrival, SequenceCounts } from "./sequence.ts";
import { Sequence } from "./sequence.ts";

function feed(numbers: readonly number[]): { readonly arrivals: readonly Arrival[]; readonly counts: SequenceCounts } {
  const [first = 1, ...rest] = numbers;
  const sequence = new Sequence(first);
  return { arrivals: rest.map((number) => sequence.add(number)), counts: sequence.counts() };
}

const cases: Record<string, { readonly numbers: readonly number[]; readonly counts: Partial<SequenceCounts> }> = {
  "all in order": {
    numbers: [1, 2, 3],
    counts: { first: 1, last: 3, received: 3, lost: 0, duplicates: 0, reordered: 0 },
  },
  "the start does not matter": { numbers: [7, 8], counts: { first: 7, last: 8, received: 2, lost: 0 } },
  "a gap is lost": { numbers: [1, 2, 6], counts: { received: 3, lost: 3, reordered: 0 } },
  "a late one is not lost": { numbers: [1, 3, 2], counts: { lost: 0, duplicates: 0, reordered: 1 } },
  "one from the middle of a gap": { numbers: [1, 9, 5], counts: { received: 3, lost: 6, reordered: 1 } },
  "a second copy": { numbers: [1, 2, 2, 1], counts: { received: 2, lost: 0, duplicates: 2 } },
  "a second copy of a late one": { numbers: [1, 3, 2, 2], counts: { lost: 0, duplicates: 1, reordered: 1 } },
  "one before the first": { numbers: [5, 2], counts: { first: 2, received: 2, lost: 2, reordered: 1 } },
};

for (const [sentence, { numbers, counts }] of Object.entries(cases)) {
  test(`Sequence: ${sentence}`, () => assert.partialDeepStrictEqual(feed(numbers).counts, counts));
}

test("Sequence agrees with a set of all numbers, in any order", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 80 }), (numbers) => {
      const { arrivals, counts } = feed(numbers);
      const different = new Set(numbers);
      const first = Math.min(...numbers);
      const last = Math.max(...numbers);
      assert.deepEqual(counts, {
        first,
        last,
        received: different.size,
        lost: last - first + 1 - different.size,
        duplicates: numbers.length - different.size,
        reordered: arrivals.filter((arrival) => arrival === "late").length,
      });
    }),
  );
});
