import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse, stringify } from "yaml";
import type { KubeObject } from "../../lib/kube/types.ts";
import { apiVersion, relayKind, relayResource } from "../../operator/api/relay.ts";
import type { Operator } from "../../operator/operator.ts";
import { type Harness, conditionOf, eventually, startHarness, statusOf, untilCondition } from "./operator-harness.ts";

const crdFile = join(import.meta.dirname, "../../crds/kubearmorrelays.yaml");
const namespace = "survival";

let harness: Harness;
let operator: Operator | undefined;

before(async () => {
  harness = await startHarness();
  await harness.createNamespace(namespace);
  // As if another version of the CRD had taken anything.
  await harness.plane.kubectl(["replace", "-f", "-"], { input: await looseCrd() });
  await eventually("anything is taken", async () => {
    const relays = Object.entries(stored).map(([name, spec]) => ({
      apiVersion,
      kind: relayKind,
      metadata: { namespace, name },
      spec,
    }));
    const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: relays });
    const applied = harness.plane.kubectl(["apply", "--server-side", "--validate=false", "-f", "-"], { input });
    return await applied.then(
      () => true,
      // The new schema takes a moment to be served.
      () => undefined,
    );
  });
  await harness.plane.kubectl(["replace", "-f", crdFile]);
  operator = await harness.start();
});

after(async () => {
  await operator?.[Symbol.asyncDispose]();
  await harness[Symbol.asyncDispose]();
});

const tolerations = [{ operator: "Exists" }];
const stored = {
  good: { tolerations, service: { name: "good" } },
  older: { tolerations, service: { name: "older" }, limits: { maxSubscribers: 10_000, bufferBytes: "1Mi" } },
  "wrong-type": { tolerations, service: { name: "wrong-type", port: "http" }, env: { A: "b" } },
  "not-an-object": { service: "kubearmor", limits: [], stdout: 1 },
  "bound-broken": { tolerations, service: { name: "bound-broken" }, replicas: 99 },
} as const;

interface LooseSchema {
  readonly properties: Record<string, unknown>;
}

async function looseCrd(): Promise<string> {
  const crd = parse(await readFile(crdFile, "utf8")) as {
    readonly spec: {
      readonly versions: readonly { selectableFields?: unknown; schema: { openAPIV3Schema: LooseSchema } }[];
    };
  };
  for (const version of crd.spec.versions) {
    const { properties } = version.schema.openAPIV3Schema;
    const spec = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
    version.schema = { openAPIV3Schema: { ...version.schema.openAPIV3Schema, properties: { ...properties, spec } } };
    Reflect.deleteProperty(version.schema.openAPIV3Schema, "x-kubernetes-validations");
    Reflect.deleteProperty(version, "selectableFields");
  }
  return stringify(crd);
}

async function accepted(name: keyof typeof stored, status: string, reason: string): Promise<string> {
  const relay: KubeObject = await untilCondition(harness.admin, { namespace, name }, "Accepted", status, reason);
  return conditionOf(relay, "Accepted")?.message ?? "";
}

test("a relay with limits of an earlier CRD is acted upon, with a warning", async () => {
  const message = await accepted("older", "True", "Unwise");
  assert.match(message, /spec\.limits\.maxSubscribers: is 10000, .*4000 is in force/);
  assert.match(message, /spec\.limits\.bufferBytes: is "1Mi", .*16Mi is in force/);
  await untilCondition(harness.admin, { namespace, name: "older" }, "Applied", "True");
});

test("a relay beyond a bound is refused", async () => {
  assert.match(await accepted("bound-broken", "False", "InvalidSpec"), /spec\.replicas: is 99, must be at most 10/);
});

// The server takes no status of the one whose parts are no objects: its own rules cannot be evaluated on that.
test("a relay with a field of a wrong type is told which", async () => {
  assert.match(
    await accepted("wrong-type", "False", "InvalidSpec"),
    /spec\.service\.port: is "http", must be an integer/,
  );
});

test("a good relay beside relays of wrong types is acted upon, and nothing is made for those", async () => {
  await untilCondition(harness.admin, { namespace, name: "good" }, "Applied", "True");
  const deployments = await harness.plane.kubectl(["-n", namespace, "get", "deployments", "-o", "name"]);
  assert.deepEqual(deployments.trim().split("\n"), ["deployment.apps/good", "deployment.apps/older"]);
  assert.equal((await harness.admin.list(relayResource, { namespace })).length, Object.keys(stored).length);
});

async function untilReadyAlone(name: string): Promise<void> {
  await eventually(`${name} is ready, and nothing else`, async () => {
    const relay = await harness.admin.get(relayResource, { namespace, name });
    const isReady = conditionOf(relay, "Ready")?.status === "True";
    return isReady && conditionOf(relay, "Stalled") === undefined ? true : undefined;
  });
}

test("a relay whose field of a wrong type is put right becomes ready, and is stalled no more", async () => {
  const spec = { tolerations, service: { name: "wrong-type" } };
  const relay = { apiVersion, kind: relayKind, metadata: { namespace, name: "wrong-type" }, spec };
  await harness.plane.kubectl(["replace", "-f", "-"], { input: JSON.stringify(relay) });
  await untilReadyAlone("wrong-type");
});

test("what somebody else writes into the operator's part of the status is taken away", async () => {
  const name = "good";
  await untilReadyAlone(name);
  const now = await harness.admin.get(relayResource, { namespace, name });
  const lastTransitionTime = "2026-01-01T00:00:00Z";
  const foreign = { status: "True", reason: "Seen", message: "", lastTransitionTime };
  const conditions = [
    ...(statusOf(now).conditions ?? []),
    { type: "Stalled", ...foreign },
    { type: "Audited", ...foreign },
  ];
  const patch = JSON.stringify({ status: { conditions } });
  await harness.plane.kubectl([
    "-n",
    namespace,
    "patch",
    "kubearmorrelay",
    name,
    "--subresource=status",
    "--type=merge",
    "-p",
    patch,
  ]);
  await untilReadyAlone(name);
  const then = await harness.admin.get(relayResource, { namespace, name });
  assert.equal(conditionOf(then, "Audited")?.status, "True", "what is not the operator's stays");
});
