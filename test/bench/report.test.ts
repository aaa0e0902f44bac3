import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Result } from "./measure.ts";
import { heading, ratioLine, resultLine } from "./report.ts";
import { parseRow } from "./rows.ts";

const relay = {
  cpuNsPerDelivery: 950,
  coreShare: 0.475,
  idleBytes: 80 * 2 ** 20,
  peakBytes: 100 * 2 ** 20,
  unaccounted: 0,
};
const good: Result = {
  row: parseRow("50>10@50k"),
  subject: "ours",
  deliveriesPerSecond: 500_000.4,
  relay,
  load: { cpuNsPerDelivery: 500, coreShare: 0.25, lateShare: 0 },
  latencyNs: { p50: 1_000_000, p99: 5_000_000, max: 9_000_000 },
  expected: 6_000_000,
  lostAtAgents: 0,
  lostInRelay: 0,
  lostInSilence: 0,
  sentPerSecond: 50_000,
  backNs: undefined,
  anomalies: [],
};

describe("resultLine()", () => {
  it("prints every figure under its heading", () => {
    const names = heading().split("\n", 1)[0] ?? "";
    const line = resultLine(good);
    const cell = (name: string) => {
      const end = names.indexOf(name) + name.length;
      return line.slice(0, end).split(/ {2,}/u).at(-1)?.trim();
    };
    assert.equal(cell("deliveries/s"), "500,000");
    assert.equal(cell("µs CPU/dlv"), "0.95");
    assert.equal(cell("peak MiB"), "100");
    assert.equal(cell("lost in relay"), "0");
    assert.equal(cell("p99 ms"), "5.00");
  });

  it("prints losses, however small, as more than nothing", () => {
    assert.match(resultLine({ ...good, lostInRelay: 1 }), / 0\.000017 % /u);
  });

  const noted: Readonly<Record<string, readonly [Result, RegExp]>> = {
    "says when the load was the limit": [{ ...good, load: { ...good.load, coreShare: 0.95 } }, /! the load's core/u],
    "says when events were made late": [{ ...good, load: { ...good.load, lateShare: 0.05 } }, /! 5 % of the events/u],
    "says what went wrong": [{ ...good, anomalies: ["3 duplicated"] }, /! 3 duplicated/u],
    "says when agents were back": [
      { ...good, row: parseRow("1>1@1k~500ms"), backNs: 250e6 },
      /! the first event at most 250 ms after/u,
    ],
    "says when agents were not back": [
      { ...good, row: parseRow("1>1@1k~500ms"), backNs: Number.POSITIVE_INFINITY },
      /! no event after/u,
    ],
    "says what the relay cannot account for": [
      { ...good, relay: { ...relay, unaccounted: 3 } },
      /! 3 events that the relay cannot/u,
    ],
    "says what came in where nothing limits it": [{ ...good, row: parseRow("1>1@max") }, /! the agents sent 50,000/u],
  };
  for (const [name, [result, expected]] of Object.entries(noted))
    it(name, () => assert.match(resultLine(result), expected));

  it("says nothing about a good row", () => assert.doesNotMatch(resultLine(good), /!/u));
});

describe("ratioLine()", () => {
  it("divides the first by the second", () => {
    const slower = {
      cpuNsPerDelivery: 3800,
      coreShare: 1,
      idleBytes: 0,
      peakBytes: 50 * 2 ** 20,
      unaccounted: undefined,
    };
    const peer = { ...good, subject: "peer", relay: slower };
    assert.equal(ratioLine(good, peer), "  ours/peer: CPU 0.25, p99 1.00, peak memory 2.00");
  });
});
