import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RelayEntry } from "./entry.ts";
import { begin, nextReportMs, nothingReported, type Reported } from "./pace.ts";

const entry: RelayEntry = {
  pod: "relay-0",
  version: "1",
  settings: "a",
  stdout: "alerts",
  agents: { seen: 3, connected: 3 },
  loss: { dropped: 0, gaps: 0 },
};
/** At 1,000,000 ms. */
const said: Reported = { ...nothingReported, applied: { ...entry }, begunMs: 1_000_000 };

describe("nextReportMs()", () => {
  const cases: Record<string, { now?: Partial<RelayEntry>; reported?: Partial<Reported>; afterMs: number }> = {
    "says after four minutes again what has not changed": { afterMs: 240_000 },
    "or later, up to six, by chance": { reported: { jitter: 1 }, afterMs: 360_000 },
    "says other settings at once, but for a second's pause": { now: { settings: "b" }, afterMs: 1_000 },
    "says what is printed at once": { now: { stdout: "none" }, afterMs: 1_000 },
    "says a problem at once": { now: { problem: "p" }, afterMs: 1_000 },
    "lets numbers of agents wait": { now: { agents: { seen: 3, connected: 2 } }, afterMs: 10_000 },
    "lets losses wait": { now: { loss: { dropped: 1, gaps: 0 } }, afterMs: 10_000 },
    "lets losses that go on wait longer": {
      now: { loss: { dropped: 1, gaps: 0 } },
      reported: { isLosing: true },
      afterMs: 60_000,
    },
    "lets numbers of agents not wait for losses": {
      now: { loss: { dropped: 1, gaps: 0 }, agents: { seen: 3, connected: 2 } },
      reported: { isLosing: true },
      afterMs: 10_000,
    },
    "lets a problem not wait for losses": {
      now: { loss: { dropped: 1, gaps: 0 }, problem: "p" },
      reported: { isLosing: true },
      afterMs: 1_000,
    },
    "says again what the API may have lost": { reported: { isDoubted: true }, afterMs: 10_000 },
    "says again what may not have arrived": { reported: { applied: undefined }, afterMs: 1_000 },
    "waits longer after a failure": {
      now: { settings: "b" },
      reported: { applied: undefined, retryAtMs: 1_007_000 },
      afterMs: 7_000,
    },
  };
  for (const [sentence, { now, reported, afterMs }] of Object.entries(cases)) {
    it(sentence, () => {
      assert.equal(nextReportMs({ ...entry, ...now }, { ...said, ...reported }), 1_000_000 + afterMs);
    });
  }
  it("says the first word at once", () => {
    assert.equal(nextReportMs(entry, nothingReported), Number.NEGATIVE_INFINITY);
  });
});

describe("begin()", () => {
  const lost = { ...entry, loss: { dropped: 1, gaps: 0 } };
  const cases: Record<string, { entry: RelayEntry; reported: Reported; isLosing: boolean }> = {
    "tells losses that are new": { entry: lost, reported: said, isLosing: true },
    "takes nothing else for a loss": { entry: { ...entry, problem: "p" }, reported: said, isLosing: false },
    "forgets that there were losses": { entry, reported: { ...said, isLosing: true }, isLosing: false },
    "takes what a failed report may have told for no news": {
      entry: lost,
      reported: { ...said, applied: undefined },
      isLosing: false,
    },
  };
  for (const [sentence, { entry: now, reported, isLosing }] of Object.entries(cases)) {
    it(sentence, () => assert.equal(begin(now, reported, 0, 0).isLosing, isLosing));
  }
  it("knows no more what the API has, and leaves no doubt behind", () => {
    const reported = { ...said, isDoubted: true, retryAtMs: 5 };
    assert.deepEqual(begin(entry, reported, 7, 0.5), {
      applied: undefined,
      isDoubted: false,
      isLosing: false,
      begunMs: 7,
      retryAtMs: 5,
      jitter: 0.5,
    });
  });
});
