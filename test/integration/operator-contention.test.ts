import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startListWatch } from "../../lib/kube/list-watch.ts";
import { deployments, events, roles, services } from "../../lib/kube/resources.ts";
import type { KubeObject, Resource, WatchChange } from "../../lib/kube/types.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { apiVersion, relayKind, relayResource } from "../../operator/api/relay.ts";
import type { Operator } from "../../operator/operator.ts";
import {
  type Harness,
  conditionOf,
  eventually,
  startHarness,
  untilCondition,
  untilIdle,
  writesOf,
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

const limit = { timeout: 120_000 };
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
    assert.equal(conditionOf(relay, "Ready")?.status, "False", "what is held back is not as the spec wants it");
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

test(
  "somebody who deletes an object of ours again and again: the condition tells, and it is made anew ever more rarely",
  limit,
  async () => {
    const at = { namespace: "deleted", name: "relay" };
    await harness.createNamespace(at.namespace);
    await harness.createRelay(at.namespace, at.name, {});
    await untilCondition(harness.admin, at, "Ready", "True");
    const service = { ...at, name: "kubearmor" };
    let deletions = 0;
    const relay = await eventually("the condition tells", async () => {
      deletions += (await harness.admin.delete(services, service)) ? 1 : 0;
      const found = await harness.admin.get(relayResource, at);
      return conditionOf(found, "Contended")?.status === "True" ? found : undefined;
    });
    assert.match(conditionOf(relay, "Contended")?.message ?? "", /Service kubearmor, which is deleted again and again/);
    assert.ok(deletions >= 4 && deletions <= 8, `${deletions} deletions`);
    await eventually("it is made anew all the same", async () => await harness.admin.get(services, service));
  },
);

const autoscalers: Resource = {
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  namespaced: true,
};

test("an autoscaler of the relay and kubectl scale: the Deployment follows, and never dips", limit, async () => {
  const at = { namespace: "scaled", name: "relay" };
  await harness.createNamespace(at.namespace);
  await harness.createRelay(at.namespace, at.name, {});
  await untilCondition(harness.admin, at, "Ready", "True");
  const seen: (number | undefined)[] = [];
  const onChange = (change: WatchChange) => {
    const objects = change.kind === "replaced" ? change.objects : [change.object];
    for (const object of objects) {
      const replicas = replicasOf(object);
      if (seen.at(-1) !== replicas) seen.push(replicas);
    }
  };
  await using listWatch = startListWatch(
    { resource: deployments, scope: { namespace: at.namespace }, onChange },
    { client: harness.admin, clock: systemClock, random: Math.random, log: silentLog },
  );
  await listWatch.synced;
  const scaleTargetRef = { apiVersion, kind: relayKind, name: at.name };
  await harness.admin.create(autoscalers, {
    apiVersion: "autoscaling/v2",
    kind: autoscalers.kind,
    metadata: at,
    spec: { scaleTargetRef, minReplicas: 2, maxReplicas: 4 },
  });
  await eventually("there are two", () => Promise.resolve(seen.at(-1) === 2 ? true : undefined));
  await untilCondition(harness.admin, at, "Ready", "True");
  await harness.admin.delete(autoscalers, at);
  await untilIdle(operator);
  await harness.plane.kubectl(["-n", at.namespace, "scale", "kubearmorrelay", at.name, "--replicas=3"]);
  await untilCondition(harness.admin, at, "Ready", "True");
  await eventually("there are three", () => Promise.resolve(seen.at(-1) === 3 ? true : undefined));
  assert.deepEqual(seen, [1, 2, 3]);
  const relay = await harness.admin.get(relayResource, at);
  assert.equal(conditionOf(relay, "Contended"), undefined);
});

function replicasOf(deployment: KubeObject): number | undefined {
  return (deployment["spec"] as { readonly replicas?: number }).replicas;
}

test("an autoscaler of the Deployment: the condition says where to point it", limit, async () => {
  const at = { namespace: "misdirected", name: "relay" };
  await harness.createNamespace(at.namespace);
  await harness.createRelay(at.namespace, at.name, {});
  await untilCondition(harness.admin, at, "Ready", "True");
  const relay = await eventually("the condition tells", async () => {
    // As the autoscaler's controller does, which comes by every 15 s only.
    const scale = { apiVersion: "autoscaling/v1", kind: "Scale", metadata: at, spec: { replicas: 3 } };
    const options = { fieldManager: "kube-controller-manager", force: true, subresource: "scale" } as const;
    await harness.admin.apply(deployments, scale, options);
    const found = await harness.admin.get(relayResource, at);
    return conditionOf(found, "Contended")?.status === "True" ? found : undefined;
  });
  assert.match(
    conditionOf(relay, "Contended")?.message ?? "",
    /\.spec\.replicas by kube-controller-manager \(point the HorizontalPodAutoscaler at the KubeArmorRelay/,
  );
});

test("a relay with agents in six namespaces: its roles have one name, and nobody fights over it", limit, async () => {
  const at = { namespace: "many", name: "relay" };
  const namespaces = ["many-a", "many-b", "many-c", "many-d", "many-e", "many-f"];
  for (const namespace of [at.namespace, ...namespaces]) await harness.createNamespace(namespace);
  await harness.createRelay(at.namespace, at.name, { agents: { namespaces }, enrichment: { remoteHost: false } });
  const relay = await untilCondition(harness.admin, at, "Ready", "True");
  assert.equal(conditionOf(relay, "Contended"), undefined);
  const role = { namespace: "many-c", name: "kubearmor-relay:many:relay" };
  const fought = await eventually("one of them is deleted again and again", async () => {
    await harness.admin.delete(roles, role);
    const found = await harness.admin.get(relayResource, at);
    return conditionOf(found, "Contended")?.status === "True" ? found : undefined;
  });
  const message = conditionOf(fought, "Contended")?.message ?? "";
  assert.match(message, /Role kubearmor-relay:many:relay in many-c, which is deleted again and again/);
  assert.doesNotMatch(message, /in many-[abdef]/);
  await eventually("an Event names the namespace", async () => {
    const all = await harness.admin.list(events, { namespace: at.namespace });
    const notes = all.filter(({ reason }) => reason === "DriftRepaired").map(({ note }) => String(note));
    return notes.some((note) => note.includes(" in many-c anew")) ? true : undefined;
  });
});

test("what vanished while no operator was there is made anew, and no drift is told", limit, async () => {
  const at = { namespace: "unseen", name: "relay" };
  await harness.createNamespace(at.namespace);
  await harness.createRelay(at.namespace, at.name, {});
  await untilCondition(harness.admin, at, "Ready", "True");
  await untilIdle(operator);
  await operator[Symbol.asyncDispose]();
  const metrics = { ...at, name: "relay-metrics" };
  assert.equal(await harness.admin.delete(services, metrics), true);
  operator = await harness.start();
  await eventually("it is there", () => harness.admin.get(services, metrics));
  await untilIdle(operator);
  const drift = async () => {
    const all = await harness.admin.list(events, { namespace: at.namespace });
    return all.filter(({ reason }) => reason === "DriftRepaired").length;
  };
  assert.equal(await drift(), 0);
  await harness.admin.delete(services, metrics);
  await eventually("now it is told", async () => ((await drift()) > 0 ? true : undefined));
});
