import assert from "node:assert/strict";
import { test } from "node:test";
import { pods } from "../../lib/kube/resources.ts";
import type { KubeClient, KubeObject } from "../../lib/kube/types.ts";
import { fencedClient } from "./fence.ts";

const object: KubeObject = { apiVersion: "v1", kind: "Pod", metadata: { name: "a" } };

function recording(calls: string[]): KubeClient {
  const answer =
    <T>(name: string, value: T) =>
    () => {
      calls.push(name);
      return Promise.resolve(value);
    };
  return {
    get: answer("get", object),
    list: answer("list", [object]),
    raw: answer("raw", {}),
    create: answer("create", object),
    replace: answer("replace", object),
    apply: answer("apply", object),
    mergePatch: answer("mergePatch", object),
    jsonPatch: answer("jsonPatch", object),
    delete: answer("delete", true),
  };
}

const writes: Readonly<Record<string, (client: KubeClient) => Promise<unknown>>> = {
  create: (client) => client.create(pods, object),
  replace: (client) => client.replace(pods, object),
  apply: (client) => client.apply(pods, object, { fieldManager: "a", force: true }),
  mergePatch: (client) => client.mergePatch(pods, { name: "a" }, {}),
  jsonPatch: (client) => client.jsonPatch(pods, { name: "a" }, []),
  delete: (client) => client.delete(pods, { name: "a" }),
};

for (const [name, write] of Object.entries(writes)) {
  test(`fencedClient() lets ${name} through to the holder of the lease only`, async () => {
    const calls: string[] = [];
    let mayWrite = true;
    const client = fencedClient(recording(calls), () => mayWrite);
    await write(client);
    mayWrite = false;
    await assert.rejects(write(client), /the lease is not held/);
    assert.deepEqual(calls, [name]);
  });
}

test("fencedClient() lets everybody read", async () => {
  const calls: string[] = [];
  const client = fencedClient(recording(calls), () => false);
  await client.get(pods, { name: "a" });
  await client.list(pods, {});
  await client.raw("GET", "/version");
  assert.deepEqual(calls, ["get", "list", "raw"]);
});
