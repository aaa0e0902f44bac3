import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ProblemFacts, problemsOf } from "./problems.ts";

const well: ProblemFacts = { discovery: [], refusedSettings: [], isStdoutClosed: false };
const failing = (reason: "forbidden" | "unreachable") =>
  ({ kind: "failing", reason, error: new Error("said by the server") }) as const;

describe("problemsOf()", () => {
  const cases: Record<string, { facts: Partial<ProblemFacts>; problems: readonly string[] }> = {
    "says nothing when all is well": {
      facts: { discovery: [{ namespace: undefined, state: { kind: "synced" } }] },
      problems: [],
    },
    "says nothing of agents that are being listed for the first time": {
      facts: { discovery: [{ namespace: "a", state: { kind: "starting" } }] },
      problems: [],
    },
    "names the right that is missing": {
      facts: { discovery: [{ namespace: undefined, state: failing("forbidden") }] },
      problems: ["agents in all namespaces cannot be watched (forbidden): said by the server"],
    },
    "leaves out words that may change from one attempt to the next": {
      facts: { discovery: [{ namespace: "a", state: failing("unreachable") }] },
      problems: ["agents in namespace a cannot be watched (unreachable)"],
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
