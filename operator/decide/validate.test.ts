import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeArmorRelay } from "../api/types.gen.ts";
import { metricsServiceName } from "../desired/names.ts";
import { relayOf } from "../testing/samples.ts";
import { problemsOf, warningsOf } from "./validate.ts";

const refused: Readonly<Record<string, readonly [KubeArmorRelay["spec"], RegExp]>> = {
  "a mailbox of half a byte": [{ limits: { mailboxBytes: "70000500m" } }, /^spec\.limits\.mailboxBytes: /],
  "a buffer for not a single event": [{ limits: { bufferBytes: 1024 ** 2 - 1 } }, /^spec\.limits\.bufferBytes: /],
  "more subscribers than there ever could be": [
    { limits: { maxSubscribers: 10_001 } },
    /^spec\.limits\.maxSubscribers: is 10001, must be at most 4000$/,
  ],
  "a variable that the operator sets": [{ env: [{ name: "POD_NAME", value: "" }] }, /^spec\.env\[0\]\.name: .*belong/],
  "a nodePort without a node port type": [{ service: { nodePort: 1 } }, /^spec\.service\.nodePort: /],
  "the name of the Service for metrics": [{ service: { name: "kubearmor-relay-metrics" } }, /^spec\.service\.name: /],
  "a selector that selects every pod": [{ agents: { selector: { matchLabels: {} } } }, /^spec\.agents\.selector/],
  "a port that there is not": [
    { agents: { endpoints: ["host:99999"] } },
    /^spec\.agents\.endpoints\[0\]: .*not valid: Agents outside/,
  ],
  "what is no address in brackets": [
    { agents: { endpoints: ["[:::::]:1"] } },
    /^spec\.agents\.endpoints\[0\]: .*not valid: Agents outside/,
  ],
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

test("problemsOf() names the name of the Service for metrics of a relay whose own name is too long for it", () => {
  const metadata = { namespace: "kubearmor", name: "r".repeat(63) };
  const name = metricsServiceName(relayOf({}, { metadata }));
  assert.match(problemsOf(relayOf({ service: { name } }, { metadata })).join(), /^spec\.service\.name: /);
});

test("problemsOf() has nothing to say about an empty spec", () => {
  assert.deepEqual(problemsOf(relayOf()), []);
});

test("warningsOf() names a buffer that the container cannot hold, which is no problem", () => {
  const relay = relayOf({ limits: { bufferBytes: "257Mi" } });
  assert.match(warningsOf(relay).join(), /^spec\.resources\.limits: /);
  assert.deepEqual(problemsOf(relay), []);
});

test("problemsOf() names what has the wrong type, and warningsOf() does not", () => {
  const spec = { service: { port: "http" }, replicas: null, tolerations: [5] } as unknown as KubeArmorRelay["spec"];
  const relay = relayOf(spec);
  assert.deepEqual(problemsOf(relay), [
    'spec.service.port: is "http", must be an integer',
    "spec.tolerations[0]: is 5, must be an object",
  ]);
  assert.deepEqual(warningsOf(relay), []);
});

test("warningsOf() names limits that only an earlier CRD allowed, which are no problem", () => {
  const relay = relayOf({ limits: { maxSubscribers: 10_000, bufferBytes: "1Mi" } });
  assert.deepEqual(problemsOf(relay), []);
  assert.deepEqual(warningsOf(relay), [
    "spec.limits.maxSubscribers: is 10000, which an earlier CRD allowed; 4000 is in force",
    'spec.limits.bufferBytes: is "1Mi", which an earlier CRD allowed; 16Mi is in force',
  ]);
  assert.deepEqual(relay.spec.limits, { maxSubscribers: 4000, mailboxBytes: "8Mi", bufferBytes: "16Mi" });
});

test("warningsOf() leaves a buffer alone that the container can hold, or whose container has no limit", () => {
  assert.deepEqual(warningsOf(relayOf({ limits: { bufferBytes: "256Mi" } })), []);
  assert.deepEqual(warningsOf(relayOf({ limits: { bufferBytes: "4Gi" }, resources: { limits: {} } })), []);
});
