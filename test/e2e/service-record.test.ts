import assert from "node:assert/strict";
import { test } from "node:test";
import { serviceRecord } from "./service-record.ts";
import type { SubscriptionReport } from "./subscriber.ts";

function subscription(
  ranges: Readonly<Record<string, readonly [number, number]>>,
  change: Partial<SubscriptionReport> = {},
): SubscriptionReport {
  const sequences = Object.entries(ranges).map(([agent, [first, last]]) => ({
    agent,
    epoch: "0",
    feed: "alerts" as const,
    first,
    last,
    received: last - first + 1,
    lost: 0,
    duplicates: 0,
    reordered: 0,
  }));
  return { events: 0, lost: 0, garbage: 0, sequences, failures: [], awayMs: 0, end: undefined, ...change };
}

const gaps: Readonly<Record<string, readonly [readonly SubscriptionReport[], readonly number[]]>> = {
  "one stream misses nothing": [[subscription({ a: [5, 9] })], []],
  "the next stream goes on where the last one ended": [
    [subscription({ a: [5, 9] }), subscription({ a: [10, 12] })],
    [0],
  ],
  "events between two streams": [[subscription({ a: [5, 9] }), subscription({ a: [14, 20] })], [4]],
  "events that come twice are no loss": [[subscription({ a: [5, 9] }), subscription({ a: [8, 20] })], [0]],
  "an agent that a whole stream did not bring": [
    [subscription({ a: [5, 9], b: [1, 3] }), subscription({ a: [10, 12] }), subscription({ a: [13, 13], b: [9, 9] })],
    [0, 0, 5],
  ],
};

for (const [name, [reports, missed]] of Object.entries(gaps)) {
  test(`serviceRecord(): ${name}`, () => assert.deepEqual(serviceRecord(reports).missed, missed));
}

test("serviceRecord(): what a stream lost, and what was not readable, adds up", () => {
  const reports = [
    subscription({}, { lost: 2 }),
    subscription({}, { garbage: 1, end: "OK: ", failures: ["x"], awayMs: 7 }),
  ];
  assert.deepEqual(serviceRecord(reports), {
    lostInStreams: 3,
    missed: [],
    ends: ["OK: "],
    failures: ["x"],
    awayMs: [7],
  });
});
