import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { noDrops } from "../hub/counts.ts";
import { lossOf, makeEntry, type RelayFacts } from "./entry.ts";

const facts: RelayFacts = {
  pod: "relay-0",
  version: "1.2.3",
  settings: "0123456789abcdef",
  printed: ["logs", "alerts"],
  agents: { seen: 3, connected: 2 },
  loss: { dropped: 5, gaps: 7 },
  problems: [],
};

test("makeEntry() says all that is known, and nothing of problems when there are none", () => {
  assert.deepEqual(makeEntry(facts), {
    pod: "relay-0",
    version: "1.2.3",
    settings: "0123456789abcdef",
    stdout: "alerts,logs",
    agents: { seen: 3, connected: 2 },
    loss: { dropped: 5, gaps: 7 },
  });
});

test("makeEntry() says none when nothing is printed", () => {
  assert.equal(makeEntry({ ...facts, printed: [] }).stdout, "none");
});

test("makeEntry() says nothing of settings while no text of them is in force", () => {
  assert.equal("settings" in makeEntry({ ...facts, settings: undefined }), false);
});

describe("makeEntry().problem", () => {
  const cases: Record<string, { problems: readonly string[]; problem: string }> = {
    "has a sentence for each": { problems: ["a", "b"], problem: "a; b" },
    "says the same once": { problems: ["a", "b", "a"], problem: "a; b" },
    "may be as long as its bound": { problems: ["x".repeat(1024)], problem: "x".repeat(1024) },
    "is cut beyond that": { problems: ["x".repeat(1025)], problem: `${"x".repeat(1023)}…` },
    "is not cut within a character": { problems: ["😀".repeat(1025)], problem: `${"😀".repeat(1023)}…` },
  };
  for (const [sentence, { problems, problem }] of Object.entries(cases)) {
    it(sentence, () => assert.equal(makeEntry({ ...facts, problems }).problem, problem));
  }
});

test("lossOf() counts for all feeds what the relay dropped, and not what a client left behind", () => {
  const feed = {
    subscribers: { dropped: { mailbox: 1, budget: 10, disconnected: 100, shutdown: 1_000 } },
    stdout: { dropped: { ...noDrops(), disconnected: 10_000 } },
    gaps: 2,
  };
  assert.deepEqual(lossOf([feed, feed]), { dropped: 22_022, gaps: 4 });
});
