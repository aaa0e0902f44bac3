import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeArmorRelay } from "../api/types.gen.ts";
import { relayOf } from "../testing/samples.ts";
import { problemsOf } from "./validate.ts";

const refused: Readonly<Record<string, readonly [KubeArmorRelay["spec"], RegExp]>> = {
  "several replicas that print": [{ replicas: 2, stdout: { alerts: true } }, /^spec\.replicas: /],
  "a nodePort without a node port type": [{ service: { nodePort: 1 } }, /^spec\.service\.nodePort: /],
  "a selector that selects every pod": [{ agents: { selector: { matchLabels: {} } } }, /^spec\.agents\.selector/],
  "a port that there is not": [{ agents: { endpoints: ["host:99999"] } }, /^spec\.agents\.endpoints: /],
  "what is no address in brackets": [{ agents: { endpoints: ["[:::::]:1"] } }, /^spec\.agents\.endpoints: /],
  "a label of ours on the pods": [{ podLabels: { "operator.kubearmor.com/relay": "x" } }, /^spec\.podLabels: /],
};

for (const [sentence, [spec, message]] of Object.entries(refused)) {
  test(`problemsOf() names ${sentence}`, () => {
    const problems = problemsOf(relayOf(spec));
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", message);
  });
}

test("problemsOf() names a name that cannot be a label", () => {
  assert.match(problemsOf(relayOf({}, { metadata: { name: "a.b" } }))[0] ?? "", /^metadata\.name: /);
});

test("problemsOf() has nothing to say about an empty spec", () => {
  assert.deepEqual(problemsOf(relayOf()), []);
});
