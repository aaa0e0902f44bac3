import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApiError } from "../../lib/kube/errors.ts";
import { apiVersion, parseRelay, relayKind, relayResource } from "../../operator/api/relay.ts";
import { problemsOf } from "../../operator/decide/validate.ts";
import { type Harness, startHarness } from "./operator-harness.ts";

let harness: Harness;

before(async () => {
  harness = await startHarness();
});

after(() => harness[Symbol.asyncDispose]());

let serial = 0;

/** What the server answers to a relay with this spec: the defaulted object, or its refusal. */
async function create(spec: object, name = `relay-${(serial += 1)}`) {
  try {
    return await harness.createRelay("default", name, spec);
  } catch (error) {
    assert.ok(error instanceof ApiError);
    return error;
  }
}

const refused: Readonly<Record<string, readonly [spec: object, message: RegExp]>> = {
  "a buffer that the container cannot hold": [
    { limits: { bufferBytes: "257Mi" } },
    /at least twice limits\.bufferBytes/,
  ],
  "a mailbox of nothing": [{ limits: { mailboxBytes: 1 } }, /mailboxBytes must be from 64Ki/],
  "a mailbox of half a byte": [{ limits: { mailboxBytes: "70000500m" } }, /mailboxBytes must be from 64Ki/],
  "a buffer that no process can hold": [
    { limits: { bufferBytes: "17Gi" }, resources: {} },
    /bufferBytes must be from 16Mi/,
  ],
  "a buffer for few large events": [{ limits: { bufferBytes: "15Mi" } }, /bufferBytes must be from 16Mi/],
  "more subscribers than calls are served": [{ limits: { maxSubscribers: 4001 } }, /spec\.limits\.maxSubscribers/],
  "no subscribers": [{ limits: { maxSubscribers: 0 } }, /spec\.limits\.maxSubscribers/],
  "a cluster's name of two lines": [{ clusterName: "a\nb" }, /spec\.clusterName/],
  "a log level that is none": [{ logLevel: "loud" }, /spec\.logLevel/],
  "more replicas than agents can bear": [{ replicas: 11 }, /spec\.replicas/],
  "a nodePort without a node port type": [{ service: { nodePort: 30000 } }, /spec\.service\.nodePort/],
  "an unknown type of Service": [{ service: { type: "ExternalName" } }, /spec\.service\.type/],
  "a Service name that DNS cannot carry": [{ service: { name: "Relay" } }, /spec\.service\.name/],
  "a selector that selects every pod": [{ agents: { selector: { matchLabels: {} } } }, /matchLabels/],
  "a label key with a space": [{ agents: { selector: { matchLabels: { "a b": "c" } } } }, /matchLabels/],
  "a label key whose prefix is no name": [{ agents: { selector: { matchLabels: { "a..b/x": "y" } } } }, /matchLabels/],
  "a label key with a prefix too long": [
    { agents: { selector: { matchLabels: { [`${"a".repeat(254)}/x`]: "y" } } } },
    /matchLabels/,
  ],
  "an endpoint without a port": [{ agents: { endpoints: ["host"] } }, /endpoints\[0\]/],
  "an endpoint with a port that there is not": [{ agents: { endpoints: ["host:99999"] } }, /endpoints\[0\]/],
  "an endpoint that is no IPv6 address": [{ agents: { endpoints: ["[:::::]:1"] } }, /endpoints\[0\]/],
  "one endpoint twice": [{ agents: { endpoints: ["a:1", "a:1"] } }, /Duplicate/],
  "a label of ours on the pods": [{ podLabels: { "kubearmor-app": "x" } }, /belong to the operator/],
  "a toleration of everything by accident": [{ tolerations: [{ value: "x" }] }, /needs operator Exists/],
  "a quantity that is none": [{ resources: { limits: { memory: "1x" } } }, /resources\.limits\.memory/],
};

for (const [sentence, [spec, message]] of Object.entries(refused)) {
  test(`the API refuses ${sentence}`, async () => {
    const answer = await create(spec);
    assert.ok(answer instanceof ApiError, "it was accepted");
    assert.equal(answer.code, 422);
    assert.match(answer.message, message);
  });
}

test("the API refuses a name that cannot be a label", async () => {
  for (const name of ["a.b", "a".repeat(64)]) {
    const answer = await create({}, name);
    assert.ok(answer instanceof ApiError);
    assert.match(answer.message, /metadata\.name must be/);
  }
});

const accepted: Readonly<Record<string, object>> = {
  "an empty spec": {},
  "a stanza without its fields": { service: {}, agents: { selector: {} }, resources: {}, stdout: {} },
  "limits alone": { resources: { limits: { memory: "1Gi" } } },
  "several replicas that print": { replicas: 2, stdout: { logs: true } },
  "a buffer of half the container's memory, in other units": { limits: { bufferBytes: 268_435_456 } },
  "any buffer where nothing bounds the container": { limits: { bufferBytes: "4Gi" }, resources: { limits: {} } },
  "memory as a number": { resources: { limits: { memory: 2_147_483_648 } } },
  "a cluster's name in any script": { clusterName: "Größe 1" },
  "a label key with as long a prefix as there may be": {
    agents: { selector: { matchLabels: { [`${"a.".repeat(126)}a/x`]: "y" } } },
  },
  "everything off": { replicas: 0, suspend: true },
};

for (const [sentence, spec] of Object.entries(accepted)) {
  test(`defaults and rules of the program are those of the server: ${sentence}`, async () => {
    const answer = await create(spec);
    assert.ok(!(answer instanceof ApiError), "it was refused");
    const { kind, metadata } = answer;
    // What the harness adds for its fake nodes is a user's field like any other.
    const written = { apiVersion, kind, metadata, spec: { tolerations: [{ operator: "Exists" }], ...spec } };
    assert.deepEqual(parseRelay(written), answer);
    assert.deepEqual(problemsOf(parseRelay(answer)), []);
  });
}

/** What the server answers to these entries of pods. */
async function report(entries: readonly { readonly pod: string; readonly problem?: string }[]): Promise<unknown> {
  const name = `relay-${(serial += 1)}`;
  const { namespace = "" } = (await harness.createRelay("default", name, {})).metadata;
  const object = { apiVersion, kind: relayKind, metadata: { namespace, name }, status: { relays: entries } };
  const options = { fieldManager: "relay-a", force: true, subresource: "status" } as const;
  return await harness.admin.apply(relayResource, object, options).catch((error: unknown) => error);
}

const pods = (count: number) => Array.from({ length: count }, (_, index) => ({ pod: `relay-${index}` }));

test("the API takes of a pod as long a problem as a relay tells, and no longer one", async () => {
  assert.ok(!((await report([{ pod: "a", problem: "ß".repeat(1024) }])) instanceof ApiError));
  const answer = await report([{ pod: "a", problem: "x".repeat(1025) }]);
  assert.match(String(answer), /status\.relays\[0\]\.problem/);
});

test("the API takes entries of 64 pods, and no more", async () => {
  assert.ok(!((await report(pods(64))) instanceof ApiError));
  assert.match(String(await report(pods(65))), /status\.relays/);
});
