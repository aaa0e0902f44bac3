import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Result } from "./measure.ts";
import { defaultRows, parseRow } from "./rows.ts";
import { summary } from "./summary.ts";

const row = parseRow("1>1@20k");

function result(subject: string, cpuUs: number, fields: Partial<Result> = {}): Result {
  const mib = 2 ** 20;
  return {
    row,
    subject,
    deliveriesPerSecond: 20_000,
    relay: { cpuNsPerDelivery: cpuUs * 1e3, coreShare: 0.1, idleBytes: 80 * mib, peakBytes: 90 * mib, unaccounted: 0 },
    load: { cpuNsPerDelivery: 500, coreShare: 0.25, lateShare: 0 },
    latencyNs: { p50: 1e6, p99: 2e6, max: 9e6 },
    backNs: undefined,
    expected: 1000,
    lostAtAgents: 0,
    lostInRelay: 0,
    lostInSilence: 0,
    sentPerSecond: 20_000,
    anomalies: [],
    ...fields,
  };
}

/** The cells of the table's lines below its heading. */
function cells(...results: readonly Result[]): readonly (readonly string[])[] {
  const [first] = results;
  const printed = summary(first === undefined ? [] : [first.row], results).split("\n");
  return printed.slice(2).map((line) => line.trim().split(/ {2,}/u));
}

describe("summary()", () => {
  it("puts what was required beside what was seen, and the ratio to the peer", () => {
    assert.deepEqual(cells(result("ours", 3), result("peer", 12)), [
      ["1→1 @20k", "≤ 4.00 µs", "3.00 µs", "met", "12.00 µs", "0.25", "-", "11.9 µs, p50 5.9 ms, p99 11 ms"],
      ["≤ p99 5.00 ms", "p99 2.00 ms", "met", "p99 2.00 ms", "1.00"],
      ["0 lost", "0 lost", "met", "0 lost", "-"],
    ]);
  });

  it("says what was missed, by however little", () => {
    const [cpu, , lost] = cells(result("ours", 4.01, { lostAtAgents: 1 }));
    assert.deepEqual([cpu?.[3], lost?.[2]], ["MISSED", "MISSED"]);
  });

  it("counts an agent that never came back as missed", () => {
    const [back] = cells(result("ours", 1, { row: parseRow("1>1@1k~500ms"), backNs: Number.POSITIVE_INFINITY }));
    assert.deepEqual(back?.slice(1, 4), ["≤ back 1.00 s", "back Infinity s", "MISSED"]);
  });

  it("takes the relay's own account and the load's, whichever is worse", () => {
    const overload = parseRow("500>50@10k!");
    const silent = cells(result("ours", 1, { row: overload, lostInSilence: 2 }))[0];
    assert.deepEqual(silent?.slice(1, 4), ["0 unaccounted", "2 unaccounted", "MISSED"]);
  });

  it("knows every default row, and says so where it knows none", () => {
    const lines = summary(defaultRows, []).split("\n");
    for (const promised of defaultRows) {
      assert.ok(lines.some((line) => line.startsWith(`${promised.agents}→`)));
    }
    assert.match(summary([parseRow("7>7@7")], []), /Nothing is promised/u);
  });
});
