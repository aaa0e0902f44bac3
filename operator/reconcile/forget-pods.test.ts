import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../lib/kube/errors.ts";
import type { KubeObject, Scope } from "../../lib/kube/types.ts";
import { podOf, relayOf } from "../testing/samples.ts";
import { forgetPods } from "./forget-pods.ts";

const gone = [
  { pod: "a", index: 0 },
  { pod: "c", index: 2 },
] as const;

interface Seen {
  readonly scopes: readonly Scope[];
  readonly patches: readonly unknown[];
  readonly wrote: number;
}

/** Forgets `a` and `c` while the server has these pods. */
async function forget(found: readonly KubeObject[], answer?: Error): Promise<Seen> {
  const scopes: Scope[] = [];
  const patches: unknown[] = [];
  let wrote = 0;
  const relay = relayOf();
  const client: Parameters<typeof forgetPods>[2]["client"] = {
    list: (_resource, scope) => {
      scopes.push(scope);
      return Promise.resolve(found);
    },
    jsonPatch: (_resource, _name, patch, _signal, subresource) => {
      patches.push({ subresource, patch });
      return answer === undefined ? Promise.resolve(relay) : Promise.reject(answer);
    },
  };
  const deps = { client, wrote: () => (wrote += 1) };
  await forgetPods(relay, gone, deps, new AbortController().signal);
  return { scopes, patches, wrote };
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
  const seen = await forget([podNamed("b")]);
  const removalOfC = [
    { op: "test", path: "/status/relays/2/pod", value: "c" },
    { op: "remove", path: "/status/relays/2" },
  ];
  assert.deepEqual(seen.patches, [{ subresource: "status", patch: [uid, ...removalOfC, ...removalOfA] }]);
  assert.equal(seen.wrote, 1);
  assert.deepEqual(seen.scopes, [
    {
      namespace: "kubearmor",
      labelSelector: "kubearmor-app=kubearmor-relay,operator.kubearmor.com/relay=kubearmor-relay",
    },
  ]);
});

test("forgetPods() spares a pod that only the caches do not know", async () => {
  const seen = await forget([podNamed("c"), podNamed("a", "Failed")]);
  assert.deepEqual(seen.patches, [{ subresource: "status", patch: [uid, ...removalOfA] }]);
  assert.deepEqual((await forget([podNamed("a"), podNamed("c")])).patches, []);
});

for (const [sentence, code] of [
  ["entries have moved", 422],
  ["the relay is gone", 404],
  ["somebody wrote at the same time", 409],
] as const) {
  test(`forgetPods() leaves it to the next pass when ${sentence}`, async () => {
    const error = new ApiError(code, { reason: code === 422 ? "Invalid" : "" }, { verb: "patch", resource: "x" });
    assert.equal((await forget([], error)).wrote, 0);
  });
}

test("forgetPods() fails when the server does, so that it is retried", async () => {
  await assert.rejects(forget([], new ApiError(500, {}, { verb: "patch", resource: "x" })), ApiError);
});
