import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../lib/kube/errors.ts";
import type { KubeObject, Scope } from "../../lib/kube/types.ts";
import { apiVersion, relayKind } from "../api/relay.ts";
import { podOf, relayOf } from "../testing/samples.ts";
import { forgetPods } from "./forget-pods.ts";

const gone = ["a", "c"];
const entries = ["a", "b", "c"].map((pod) => ({ pod }));

interface Seen {
  readonly scopes: readonly Scope[];
  readonly patches: readonly unknown[];
  readonly wrote: number;
  readonly isOld: boolean;
}

interface Server {
  readonly found?: readonly KubeObject[];
  /** As the cache has them by now. */
  readonly stored?: readonly unknown[];
  /** What is left of the list after the removal. */
  readonly left?: readonly unknown[];
  readonly failure?: Error;
}

/** Forgets `a` and `c`. */
async function forget({ found = [], stored = entries, left = [], failure }: Server): Promise<Seen> {
  const scopes: Scope[] = [];
  const patches: unknown[] = [];
  let wrote = 0;
  const client: Parameters<typeof forgetPods>[2]["client"] = {
    list: (_resource, scope) => {
      scopes.push(scope);
      return Promise.resolve(found);
    },
    jsonPatch: (_resource, _name, patch, _signal, subresource) => {
      patches.push({ subresource, patch });
      const { metadata } = relayOf();
      const written = { apiVersion, kind: relayKind, metadata, status: { relays: left } };
      return failure === undefined ? Promise.resolve(written) : Promise.reject(failure);
    },
  };
  const relay = relayOf({}, { status: { relays: entries } });
  const view = { get: () => ({ ...relay, status: { relays: stored } }) };
  const deps = { client, view, wrote: () => (wrote += 1) };
  const isOld = await forgetPods(relay, gone, deps, new AbortController().signal);
  return { scopes, patches, wrote, isOld };
}

function podNamed(name: string, phase = "Running"): KubeObject {
  const pod = podOf({}, { phase });
  return { ...pod, metadata: { ...pod.metadata, name } };
}

const uid = { op: "test", path: "/metadata/uid", value: "uid-1" };
const removalOfA = [
  { op: "test", path: "/status/relays/0/pod", value: "a" },
  { op: "remove", path: "/status/relays/0" },
];

test("forgetPods() removes entries from the last to the first, each only where it was seen, of this very relay", async () => {
  const seen = await forget({ found: [podNamed("b")], left: [{ pod: "b" }] });
  const removalOfC = [
    { op: "test", path: "/status/relays/2/pod", value: "c" },
    { op: "remove", path: "/status/relays/2" },
  ];
  assert.deepEqual(seen.patches, [{ subresource: "status", patch: [uid, ...removalOfC, ...removalOfA] }]);
  assert.equal(seen.wrote, 1);
  assert.equal(seen.isOld, false);
  assert.deepEqual(seen.scopes, [
    {
      namespace: "kubearmor",
      labelSelector: "kubearmor-app=kubearmor-relay,operator.kubearmor.com/relay=kubearmor-relay",
    },
  ]);
});

test("forgetPods() spares a pod that only the caches do not know", async () => {
  const seen = await forget({
    found: [podNamed("c"), podNamed("a", "Failed")],
    left: [{ pod: "b" }, { pod: "c" }],
  });
  assert.deepEqual(seen.patches, [{ subresource: "status", patch: [uid, ...removalOfA] }]);
  assert.equal(seen.isOld, false);
  assert.deepEqual((await forget({ found: [podNamed("a"), podNamed("c")] })).patches, []);
});

test("forgetPods() tells when a pod has reported meanwhile: the watch event of it is older than the answer", async () => {
  assert.ok((await forget({ left: [{ pod: "b", problem: "pods is forbidden" }] })).isOld);
  assert.ok((await forget({ left: [{ pod: "b" }, { pod: "d" }] })).isOld);
});

test("forgetPods() goes by the places in the stored list, which may hold what cannot be read", async () => {
  const seen = await forget({ stored: [{ version: "1" }, null, { pod: "a" }, { pod: "b" }] });
  const removal = [
    { op: "test", path: "/status/relays/2/pod", value: "a" },
    { op: "remove", path: "/status/relays/2" },
  ];
  assert.deepEqual(seen.patches, [{ subresource: "status", patch: [uid, ...removal] }]);
  assert.deepEqual((await forget({ stored: [{ pod: "b" }] })).patches, [], "nothing is left to remove");
});

for (const [sentence, code] of [
  ["entries have moved", 422],
  ["the relay is gone", 404],
  ["somebody wrote at the same time", 409],
] as const) {
  test(`forgetPods() leaves it to the next pass when ${sentence}`, async () => {
    const error = new ApiError(code, { reason: code === 422 ? "Invalid" : "" }, { verb: "patch", resource: "x" });
    assert.equal((await forget({ failure: error })).wrote, 0);
  });
}

test("forgetPods() fails when the server does, so that it is retried", async () => {
  await assert.rejects(forget({ failure: new ApiError(500, {}, { verb: "patch", resource: "x" }) }), ApiError);
});
