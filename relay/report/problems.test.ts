import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ProblemFacts, problemsOf } from "./problems.ts";

const well: ProblemFacts = {
  discovery: [],
  refusedSettings: [],
  isStdoutClosed: false,
  answeredSinceMs: 0,
  nowMs: 100_000,
};
const failing = (namespace: string | undefined, reason: "forbidden" | "unreachable" | "server-error", forMs = 0) => ({
  namespace,
  state: { kind: "failing", reason, error: new Error("said by the server") } as const,
  failingSinceMs: well.nowMs - forMs,
});
const outOfReach = "agents in namespace a cannot be watched: the API server has not answered as it should for 30 s";

describe("problemsOf()", () => {
  const cases: Record<string, { facts: Partial<ProblemFacts>; problems: readonly string[] }> = {
    "says nothing when all is well": {
      facts: { discovery: [{ namespace: undefined, state: { kind: "synced" }, failingSinceMs: undefined }] },
      problems: [],
    },
    "says nothing of agents that are being listed for the first time": {
      facts: { discovery: [{ namespace: "a", state: { kind: "starting" }, failingSinceMs: undefined }] },
      problems: [],
    },
    "names the right that is missing at once": {
      facts: { discovery: [failing(undefined, "forbidden")] },
      problems: ["agents in all namespaces cannot be watched (forbidden): said by the server"],
    },
    "says nothing of what may pass by itself": {
      facts: { discovery: [failing("a", "unreachable", 29_999)] },
      problems: [],
    },
    "says what does not pass, without words that may change from one attempt to the next": {
      facts: { discovery: [failing("a", "unreachable", 30_000), failing("a", "server-error", 90_000)] },
      problems: Array.from({ length: 2 }, () => outOfReach),
    },
    "waits after an outage until the watch has tried again": {
      facts: { discovery: [failing("a", "unreachable", 90_000)], answeredSinceMs: 70_001 },
      problems: [],
    },
    "does not wait for ever": {
      facts: { discovery: [failing("a", "unreachable", 90_000)], answeredSinceMs: 70_000 },
      problems: [outOfReach],
    },
    "says nothing while nobody answers": {
      facts: { discovery: [failing("a", "unreachable", 90_000)], answeredSinceMs: Number.POSITIVE_INFINITY },
      problems: [],
    },
    "names what is wrong with settings": {
      facts: { refusedSettings: ['Setting "stdout.alerts" is 5, wanted: true or false'] },
      problems: [
        'settings are refused, the last good ones are in force: Setting "stdout.alerts" is 5, wanted: true or false',
      ],
    },
    "says that nothing is printed any more": {
      facts: { isStdoutClosed: true },
      problems: ["stdout is closed: nothing is printed until the container restarts"],
    },
  };
  for (const [sentence, { facts, problems }] of Object.entries(cases)) {
    it(sentence, () => assert.deepEqual(problemsOf({ ...well, ...facts }), problems));
  }
});
