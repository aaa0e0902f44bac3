import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { deployments, events, pods } from "../../lib/kube/resources.ts";
import { relayResource } from "../../operator/api/relay.ts";
import type { Operator } from "../../operator/operator.ts";
import {
  type Harness,
  conditionOf,
  eventually,
  startHarness,
  statusOf,
  untilCondition,
  untilIdle,
} from "./operator-harness.ts";

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

interface Name {
  readonly namespace: string;
  readonly name: string;
}

/** A namespace with a relay in it that is ready. */
async function readyRelay(namespace: string): Promise<Name> {
  const at = { namespace, name: "relay" };
  await harness.createNamespace(namespace);
  await harness.createRelay(namespace, at.name, {});
  await untilCondition(harness.admin, at, "Ready", "True");
  return at;
}

/** The notes of a relay's Events of this reason. */
async function notesOf(namespace: string, reason: string): Promise<readonly unknown[]> {
  const all = await harness.admin.list(events, { namespace });
  return all.filter((event) => event["reason"] === reason).map((event) => event["note"]);
}

test("the status: a relay whose Service is another one's has no endpoint", async () => {
  await readyRelay("two");
  const second = { namespace: "two", name: "second" };
  await harness.createRelay(second.namespace, second.name, { service: { port: 4000 } });
  const relay = await untilCondition(harness.admin, second, "Applied", "False", "NameConflict");
  assert.equal(statusOf(relay).endpoint, undefined);
});

test("the status: the endpoint of a suspended relay is the one that there is", async () => {
  const at = await readyRelay("suspended");
  await harness.admin.mergePatch(relayResource, at, { spec: { suspend: true, service: { port: 4000 } } });
  const other = await untilCondition(harness.admin, at, "Applied", "False", "Suspended");
  assert.equal(statusOf(other).endpoint, "kubearmor.suspended.svc:32767");
  await harness.admin.mergePatch(relayResource, at, { spec: { service: { name: "other" } } });
  const renamed = await untilCondition(harness.admin, at, "Applied", "False", "Suspended");
  assert.equal(statusOf(renamed).endpoint, "kubearmor.suspended.svc:32767");
  await harness.admin.mergePatch(relayResource, at, { spec: { suspend: false } });
  const resumed = await untilCondition(harness.admin, at, "Ready", "True");
  assert.equal(statusOf(resumed).endpoint, "other.suspended.svc:4000");
});

test("the status: an evicted pod that was left lying is no crash loop", async () => {
  const at = await readyRelay("evicted");
  const [pod] = await harness.admin.list(pods, { namespace: at.namespace });
  assert.ok(pod !== undefined);
  const container = { name: "kubearmor-relay-server", image: "x", imageID: "", ready: false, restartCount: 0 };
  const status = {
    phase: "Failed",
    reason: "Evicted",
    containerStatuses: [{ ...container, state: { terminated: { exitCode: 137, reason: "ContainerStatusUnknown" } } }],
  };
  const args = ["patch", "pod", pod.metadata.name, "--subresource=status", "--type=merge"];
  await harness.plane.kubectl(["-n", at.namespace, ...args, "-p", JSON.stringify({ status })]);
  await eventually("another pod has taken its place", async () => {
    const all = await harness.admin.list(pods, { namespace: at.namespace });
    return all.length > 1 ? true : undefined;
  });
  const podAnnotations = { "test.kubearmor-relay/hold": "yes" };
  await harness.admin.mergePatch(relayResource, at, { spec: { podAnnotations } });
  const relay = await untilCondition(harness.admin, at, "Ready", "False", "RolloutInProgress");
  assert.equal(conditionOf(relay, "Degraded")?.status, "False");
  await untilIdle(operator);
  assert.deepEqual(await notesOf(at.namespace, "CrashLooping"), []);
});

test("a Deployment that somebody paused rolls out all the same", async () => {
  const at = await readyRelay("paused");
  await harness.plane.kubectl(["-n", at.namespace, "rollout", "pause", "deployment/relay"]);
  await eventually("the pause is taken back", async () => {
    const deployment = await harness.admin.get(deployments, at);
    const spec = deployment?.["spec"] as { readonly paused?: boolean } | undefined;
    return spec?.paused === true ? undefined : true;
  });
  await harness.admin.mergePatch(relayResource, at, { spec: { podAnnotations: { a: "b" } } });
  await untilCondition(harness.admin, at, "Ready", "True");
});

test("the status: what somebody else writes into it is put right", async () => {
  const at = await readyRelay("edited");
  const lastTransitionTime = "2026-01-01T00:00:00Z";
  const foreign = { type: "Ready", status: "False", reason: "Foreign", message: "x", lastTransitionTime };
  const patch = JSON.stringify({ status: { endpoint: "evil:1", conditions: [foreign] } });
  const args = ["patch", "kar", at.name, "--subresource=status", "--type=merge", "-p", patch];
  await harness.plane.kubectl(["-n", at.namespace, ...args]);
  const relay = await untilCondition(harness.admin, at, "Ready", "True");
  assert.equal(statusOf(relay).endpoint, "kubearmor.edited.svc:32767");
  assert.equal(statusOf(relay).conditions?.length, 6);
});

test("another default image after an operator's upgrade is no drift, even of a Deployment that somebody restarted", async () => {
  const at = await readyRelay("upgraded");
  await harness.plane.kubectl(["-n", at.namespace, "rollout", "restart", "deployment/relay"]);
  await untilIdle(operator);
  await operator[Symbol.asyncDispose]();
  operator = await harness.start({ relayImage: "localhost/relay:next" });
  await eventually("the relay has the new image", async () => {
    const relay = await harness.admin.get(relayResource, at);
    return statusOf(relay).image === "localhost/relay:next" ? true : undefined;
  });
  // The last Event of the pass that wrote the image comes after any about drift.
  await operator[Symbol.asyncDispose]();
  assert.deepEqual(await notesOf(at.namespace, "DriftRepaired"), []);
  operator = await harness.start();
});

test("the metrics count Events by what became of them", async () => {
  const at = await readyRelay("counted");
  await eventually("it has told so", async () => {
    const notes = await notesOf(at.namespace, "RelayReady");
    return notes.length > 0 ? true : undefined;
  });
  await eventually("it has counted so", async () => {
    const response = await fetch(`http://127.0.0.1:${operator.httpPort}/metrics`);
    return /^kubearmorrelay_events_total\{outcome="created"\} [1-9]/m.test(await response.text()) ? true : undefined;
  });
});
