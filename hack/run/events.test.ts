import assert from "node:assert/strict";
import { test } from "node:test";
import { clip, isEventLine } from "./events.ts";

const cases: Record<string, { line: string; wanted: boolean }> = {
  "an alert is an event": {
    line: '{"Timestamp":1,"ClusterName":"default","HostName":"fake-3","PPID":0}',
    wanted: true,
  },
  "a line of the relay's log is none": {
    line: '{"level":"info","message":"Agent connected","HostName":"x"}',
    wanted: false,
  },
  "plain text is none": { line: "Error: Cannot listen", wanted: false },
  "half a line is none": { line: '{"Timestamp":1,"HostNa', wanted: false },
};

for (const [name, { line, wanted }] of Object.entries(cases)) {
  test(`isEventLine(): ${name}`, () => assert.equal(isEventLine(line), wanted));
}

test("clip() keeps what fits and marks what does not", () => {
  assert.equal(clip("abcde", 5), "abcde");
  assert.equal(clip("abcdef", 5), "abcd…");
});
