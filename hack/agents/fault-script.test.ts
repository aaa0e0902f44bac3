import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDuration, parseFaults } from "./fault-script.ts";
import type { ScheduledFault } from "./faults.ts";

const entries: Record<string, ScheduledFault> = {
  "2s hang agent=3": { atMs: 2000, agents: [3], fault: { kind: "hang" } },
  "1.5s hang agent=3 for=10s": { atMs: 1500, agents: [3], fault: { kind: "hang", forMs: 10_000 } },
  "0s resume": { atMs: 0, agents: "all", fault: { kind: "resume" } },
  "5s reset agent=* every=1m": { atMs: 5000, everyMs: 60_000, agents: "all", fault: { kind: "reset" } },
  "5s goaway code=ENHANCE_YOUR_CALM debug=too_many_pings cut=1s": {
    atMs: 5000,
    agents: "all",
    fault: { kind: "goaway", code: 11, debug: "too_many_pings", cutAfterMs: 1000 },
  },
  "100ms goaway": { atMs: 100, agents: "all", fault: { kind: "goaway", code: 0, debug: "" } },
  "1m garbage form=protobuf feed=logs": {
    atMs: 60_000,
    agents: "all",
    fault: { kind: "garbage", form: "protobuf", feed: "logs" },
  },
  "1s stream-error agent=0 feed=messages code=UNAVAILABLE": {
    atMs: 1000,
    agents: [0],
    fault: { kind: "stream-error", feed: "messages", code: 14 },
  },
  "1s stream-error": { atMs: 1000, agents: "all", fault: { kind: "stream-error", feed: "alerts", code: 13 } },
  "1s slow-health by=3s": { atMs: 1000, agents: "all", fault: { kind: "slow-health", delayMs: 3000 } },
  "1h restart agent=0,1 down=2s": { atMs: 3_600_000, agents: [0, 1], fault: { kind: "restart", downMs: 2000 } },
  "1s replace": { atMs: 1000, agents: "all", fault: { kind: "replace", downMs: 1000 } },
};

for (const [entry, scheduled] of Object.entries(entries)) {
  test(`parseFaults() reads "${entry}"`, () => assert.deepEqual(parseFaults(entry), [scheduled]));
}

test("parseFaults() reads several entries and ignores empty ones", () => {
  assert.equal(parseFaults(" 1s reset; ; 2s reset;\n").length, 2);
  assert.deepEqual(parseFaults(""), []);
});

const mistakes: Record<string, RegExp> = {
  "soon hang": /"soon" must be a time/,
  "1s explode": /no fault "explode"/,
  "1s reset agent=x": /agent is "x", must be numbers or \*/,
  "1s reset now": /"now" must be key=value/,
  "1s reset for=2s": /no key "for" here/,
  "1s garbage form=toString": /form is "toString", must be one of protobuf, flag, length, http2/,
  "1s hang for=2": /"2" must be a time/,
};

for (const [entry, message] of Object.entries(mistakes)) {
  test(`parseFaults() refuses "${entry}"`, () =>
    assert.throws(() => parseFaults(entry), { name: "RangeError", message }));
}

test("parseDuration() knows ms, s, m and h", () => {
  assert.deepEqual(
    ["500ms", "2s", "1.5m", "1h"].map((text) => parseDuration(text, "here")),
    [500, 2000, 90_000, 3_600_000],
  );
});
