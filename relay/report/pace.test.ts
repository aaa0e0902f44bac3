import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RelayEntry } from "./entry.ts";
import { nextReportMs, nothingReported, type Reported } from "./pace.ts";

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
  const cases: Record<
    string,
    { now?: Partial<RelayEntry>; reported?: Partial<Reported>; afterMs: number | undefined }
  > = {
    "has nothing to say when nothing changed": { afterMs: undefined },
    "says other settings at once, but for a second's pause": { now: { settings: "b" }, afterMs: 1_000 },
    "says what is printed at once": { now: { stdout: "none" }, afterMs: 1_000 },
    "says a problem at once": { now: { problem: "p" }, afterMs: 1_000 },
    "lets numbers of agents wait": { now: { agents: { seen: 3, connected: 2 } }, afterMs: 10_000 },
    "lets losses wait": { now: { loss: { dropped: 1, gaps: 0 } }, afterMs: 10_000 },
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
      const wanted = afterMs === undefined ? undefined : 1_000_000 + afterMs;
      assert.equal(nextReportMs({ ...entry, ...now }, { ...said, ...reported }), wanted);
    });
  }
  it("says the first word at once", () => {
    assert.equal(nextReportMs(entry, nothingReported), Number.NEGATIVE_INFINITY);
  });
});
