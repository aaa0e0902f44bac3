import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { deployments, events } from "../../lib/kube/resources.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import type { Operator } from "../../operator/operator.ts";
import { type Harness, conditionOf, eventually, startHarness, untilCondition, writesOf } from "./operator-harness.ts";

let harness: Harness;
let operator: Operator;

before(async () => {
  harness = await startHarness();
  operator = await harness.start();
});

after(async () => {
  await operator[Symbol.asyncDispose]();
  await harness[Symbol.asyncDispose]();
});

const limit = { timeout: 60_000 };
/** Of the other controller, which is as stubborn as we are. */
const rounds = 40;

test(
  "another controller that keeps writing a field of ours: the condition names it, and the writes become rare",
  limit,
  async () => {
    const at = { namespace: "fight", name: "relay" };
    await harness.createNamespace(at.namespace);
    await harness.createRelay(at.namespace, at.name, {});
    await untilCondition(harness.admin, at, "Ready", "True");
    const earlier = writesOf(await harness.requests()).length;
    const theirs: KubeObject = { apiVersion: "apps/v1", kind: "Deployment", metadata: at, spec: { replicas: 2 } };
    const options = { fieldManager: "stubborn", force: true };
    for (let round = 0; round < rounds; round += 1) {
      await harness.admin.apply(deployments, theirs, options);
      await pause(100);
    }
    const relay = await untilCondition(harness.admin, at, "Contended", "True");
    assert.match(conditionOf(relay, "Contended")?.message ?? "", /Deployment relay: \.spec\.replicas by stubborn/);
    const repairs = writesOf(await harness.requests())
      .slice(earlier)
      .filter(({ uri }) => uri.includes("/deployments/"));
    assert.ok(repairs.length >= 4 && repairs.length <= rounds / 4, `${repairs.length} repairs`);
    await eventually("an Event tells of it", async () => {
      const all = await harness.admin.list(events, { namespace: at.namespace });
      return all.some(({ reason }) => reason === "Contended") ? true : undefined;
    });
    await eventually("it is put back all the same", async () => {
      const live = await harness.admin.get(deployments, at);
      return (live?.["spec"] as { readonly replicas?: number } | undefined)?.replicas === 1 ? true : undefined;
    });
  },
);

test("KubeArmorOperator's Deployment of the same name: the condition says so, and what to do", limit, async () => {
  const at = { namespace: "beside", name: "kubearmor-relay" };
  await harness.createNamespace(at.namespace);
  const labels = { "kubearmor-app": "kubearmor-relay" };
  const deployment = (name: string, ownerReferences: KubeObject["metadata"]["ownerReferences"] = []): KubeObject => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace: at.namespace, name, labels, ownerReferences },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "relay", image: "relay" }] } },
    },
  });
  const { metadata } = await harness.admin.create(deployments, deployment("kubearmor-operator"));
  const owner = { apiVersion: "apps/v1", kind: "Deployment", name: metadata.name, uid: metadata.uid ?? "" };
  const found = await harness.admin.create(deployments, deployment(at.name, [owner]));
  await harness.createRelay(at.namespace, at.name, {});
  const relay = await untilCondition(harness.admin, at, "Applied", "False", "Conflict");
  assert.match(conditionOf(relay, "Stalled")?.message ?? "", /scale its Deployment kubearmor-relay to 0/);
  const left = await harness.admin.get(deployments, at);
  assert.equal(left?.metadata.uid, found.metadata.uid);
  assert.ok(left?.metadata.managedFields?.every(({ manager }) => !manager?.startsWith("kubearmor-relay-operator")));
});
