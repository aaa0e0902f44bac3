import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startListWatch } from "../../lib/kube/list-watch.ts";
import { configMaps, deployments, pods, services } from "../../lib/kube/resources.ts";
import type { KubeObject, ObjectName, Resource } from "../../lib/kube/types.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { relayResource } from "../../operator/api/relay.ts";
import { reasons } from "../../operator/decide/reasons.ts";
import type { Operator } from "../../operator/operator.ts";
import { type Verdict, kstatusOf } from "./kstatus.ts";
import {
  type ConditionView,
  type Harness,
  type Spec,
  conditionOf,
  eventually,
  startHarness,
  statusOf,
  untilIdle,
} from "./operator-harness.ts";

const at = { namespace: "recorded", name: "relay" };
const hold = { "test.kubearmor-relay/hold": "yes" };

let harness: Harness;
let operator: Operator;
let recorder: AsyncDisposable;
/** Every version of the relay that the server told of, with what had been done last. */
const recorded: { readonly relay: KubeObject; readonly after: string }[] = [];
let doing = "nothing";

before(async () => {
  harness = await startHarness();
  operator = await harness.start();
  recorder = startListWatch(
    {
      resource: relayResource,
      scope: { namespace: at.namespace },
      onChange(change) {
        const seen = change.kind === "replaced" ? change.objects : [change.object];
        for (const relay of seen) if (relay.metadata.name === at.name) recorded.push({ relay, after: doing });
      },
    },
    { client: harness.admin, clock: systemClock, random: Math.random, log: silentLog },
  );
  await harness.createNamespace(at.namespace);
});

after(async () => {
  await recorder[Symbol.asyncDispose]();
  await operator[Symbol.asyncDispose]();
  await harness[Symbol.asyncDispose]();
});

function edit(spec: Spec | Readonly<Record<string, unknown>>): Promise<unknown> {
  return harness.admin.mergePatch(relayResource, at, { spec });
}

/** The pods of the relay that are not being deleted. */
async function livePods(): Promise<readonly KubeObject[]> {
  const all = await harness.admin.list(pods, { namespace: at.namespace });
  return all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** Says of the pod that is held what a kubelet would. */
async function sayOfHeldPod(state: object): Promise<void> {
  const held = await eventually("there is a pod that is held", async () => {
    const all = await livePods();
    return all.find(({ metadata }) => metadata.annotations?.["test.kubearmor-relay/hold"] === "yes");
  });
  const container = {
    name: "kubearmor-relay-server",
    image: "x",
    imageID: "",
    ready: false,
    restartCount: 0,
    ...state,
  };
  const patch = JSON.stringify({ status: { containerStatuses: [container] } });
  const target = ["-n", at.namespace, "patch", "pod", held.metadata.name, "--subresource=status"];
  await harness.plane.kubectl([...target, "--type=merge", "-p", patch]);
}

async function changeChild(resource: Resource, patch: object): Promise<void> {
  await harness.admin.mergePatch(resource, at, patch);
}

/** Resolves when there is another one. */
async function deleteChild(resource: Resource, name: ObjectName): Promise<void> {
  const first = await harness.admin.get(resource, name);
  await harness.admin.delete(resource, name);
  await eventually("it is made anew", async () => {
    const now = await harness.admin.get(resource, name);
    return now !== undefined && now.metadata.uid !== first?.metadata.uid ? true : undefined;
  });
}

interface Scenario {
  readonly act: () => Promise<unknown>;
  /** What comes of it: status and reason of Ready. */
  readonly ready: readonly [status: "True" | "False", reason: keyof typeof reasons];
  readonly verdict: Verdict;
  readonly message?: RegExp;
}

const fine = { ready: ["True", "RelayReady"], verdict: "Current" } as const;

const scenarios: Readonly<Record<string, Scenario>> = {
  "it is created": { act: () => harness.createRelay(at.namespace, at.name, {}), ...fine },
  "what it prints is changed": { act: () => edit({ stdout: { alerts: true } }), ...fine },
  "its image is changed": { act: () => edit({ image: "localhost/relay:two" }), ...fine },
  "its image cannot be pulled": {
    async act() {
      await edit({ image: "localhost/relay:none", podAnnotations: hold });
      await sayOfHeldPod({ state: { waiting: { reason: "ImagePullBackOff" } } });
    },
    ready: ["False", "ImagePullFailed"],
    verdict: "InProgress",
    message: /localhost\/relay:none/,
  },
  "a Secret is missing": {
    act: () =>
      sayOfHeldPod({ state: { waiting: { reason: "CreateContainerConfigError", message: 'secret "x" not found' } } }),
    ready: ["False", "ContainerNotStarted"],
    verdict: "InProgress",
    message: /secret "x" not found/,
  },
  "its process crashes": {
    act: () =>
      sayOfHeldPod({
        state: { waiting: { reason: "CrashLoopBackOff" } },
        lastState: { terminated: { exitCode: 2, reason: "Error", containerID: "" } },
      }),
    ready: ["False", "CrashLooping"],
    verdict: "InProgress",
    message: /exit code 2/,
  },
  "the image is put right": { act: () => edit({ image: "localhost/relay:two", podAnnotations: null }), ...fine },
  "a rollout does not get on": {
    act: () => edit({ progressDeadlineSeconds: 1, podAnnotations: hold }),
    ready: ["False", "ProgressDeadlineExceeded"],
    verdict: "Failed",
  },
  "the rollout is taken back": { act: () => edit({ progressDeadlineSeconds: 600, podAnnotations: null }), ...fine },
  "it is scaled to zero": {
    act: () => edit({ replicas: 0, podAnnotations: hold }),
    ready: ["False", "ScaledToZero"],
    verdict: "InProgress",
  },
  "it is scaled up, and the pods take their time": {
    act: () => edit({ replicas: 2 }),
    ready: ["False", "RolloutInProgress"],
    verdict: "InProgress",
    message: /^2 wanted, 2 there, 2 updated, 0 available$/,
  },
  "they take it no longer": { act: () => edit({ podAnnotations: null }), ...fine },
  "it is scaled to three": { act: () => edit({ replicas: 3 }), ...fine },
  "a quota allows of no more pods": {
    async act() {
      const spec = { hard: { pods: "3" } };
      const quota = {
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: { name: "few", namespace: at.namespace },
        spec,
      };
      await harness.plane.kubectl(["create", "-f", "-"], { input: JSON.stringify(quota) });
      await edit({ replicas: 4 });
    },
    ready: ["False", "PodsRefused"],
    verdict: "InProgress",
    message: /exceeded quota/,
  },
  "there are to be no more pods": {
    async act() {
      await harness.plane.kubectl(["-n", at.namespace, "delete", "resourcequota", "few"]);
      await edit({ replicas: 2 });
    },
    ...fine,
  },
  "it is suspended": { act: () => edit({ suspend: true }), ...fine },
  "it is suspended and something differs": {
    act: () => changeChild(configMaps, { data: { ENABLE_STDOUT_LOGS: "true" } }),
    ready: ["False", "Suspended"],
    verdict: "InProgress",
    message: /ConfigMap relay/,
  },
  "it is resumed": { act: () => edit({ suspend: false }), ...fine },
  "its Deployment is edited": {
    async act() {
      await changeChild(deployments, { spec: { replicas: 1 } });
      await eventually("it is put back", async () => {
        const spec = (await harness.admin.get(deployments, at))?.["spec"];
        return (spec as { readonly replicas?: number } | undefined)?.replicas === 2 ? true : undefined;
      });
    },
    ...fine,
  },
  "its Service is deleted": {
    act: () => deleteChild(services, { namespace: at.namespace, name: "kubearmor" }),
    ...fine,
  },
  "its Deployment is deleted": { act: () => deleteChild(deployments, at), ...fine },
  "a pod is deleted": {
    async act() {
      const [pod] = await livePods();
      assert.ok(pod !== undefined);
      await harness.admin.delete(pods, { namespace: at.namespace, name: pod.metadata.name });
    },
    ...fine,
  },
  "its pods report that something is wrong": {
    async act() {
      harness.relays?.behave(at, { kind: "reports", fields: { problem: "pods is forbidden in namespace kubearmor" } });
      await Promise.resolve();
    },
    ready: ["False", "RelayProblem"],
    verdict: "InProgress",
    message: /^Pod relay-\S+: pods is forbidden in namespace kubearmor; Pod relay-/,
  },
  "its pods report that all is well": {
    async act() {
      harness.relays?.behave(at, { kind: "reports" });
      await Promise.resolve();
    },
    ...fine,
  },
  "its pods do not report new settings": {
    async act() {
      harness.relays?.behave(at, { kind: "silent" });
      await edit({ stdout: { logs: true } });
    },
    ready: ["False", "AwaitingReport"],
    verdict: "InProgress",
    message: /^Pod relay-\S+ has yet to take up the settings; Pod relay-/,
  },
  "its pods report them after all": {
    async act() {
      harness.relays?.behave(at, { kind: "reports" });
      await Promise.resolve();
    },
    ...fine,
  },
  "it wants a Service that is somebody else's": {
    async act() {
      const ports = [{ port: 1 }];
      const service = { apiVersion: "v1", kind: "Service", metadata: { name: "taken", namespace: at.namespace } };
      await harness.admin.create(services, { ...service, spec: { ports } });
      await edit({ service: { name: "taken" } });
    },
    ready: ["False", "NameConflict"],
    verdict: "Failed",
    message: /Service taken/,
  },
  "it wants its own Service again": { act: () => edit({ service: { name: "kubearmor" } }), ...fine },
};

/** The relay, once the operator is done and the recorder has seen what there is. */
async function newest(): Promise<KubeObject> {
  await untilIdle(operator);
  return await eventually("it is recorded", async () => {
    const relay = await harness.admin.get(relayResource, at);
    return recorded.find((each) => each.relay.metadata.resourceVersion === relay?.metadata.resourceVersion)?.relay;
  });
}

for (const [sentence, { act, ready, verdict, message = /./ }] of Object.entries(scenarios)) {
  test(`the status when ${sentence}: ${ready.join("/")}, ${verdict}`, { timeout: 60_000 }, async () => {
    doing = sentence;
    await act();
    const relay = await eventually(`it has Ready=${ready.join("/")}, ${message.source}`, async () => {
      const now = await newest();
      const condition = conditionOf(now, "Ready");
      const isNew = statusOf(now).observedGeneration === now.metadata.generation;
      const isSo = condition?.status === ready[0] && condition.reason === ready[1] && message.test(condition.message);
      return isNew && isSo ? now : undefined;
    });
    assert.equal(kstatusOf(relay), verdict);
  });
}

test("status.relays has an entry for every pod, and none for those that are gone", async () => {
  const entries = await eventually("there are as many entries as pods", async () => {
    const relay = await harness.admin.get(relayResource, at);
    const { relays = [] } = statusOf(relay);
    const live = await livePods();
    return relays.length === live.length ? relays.map(({ pod }) => pod) : undefined;
  });
  const live = await livePods();
  assert.deepEqual(entries.toSorted(), live.map(({ metadata }) => metadata.name).toSorted());
});

test("the status of a relay that is being deleted: Terminating", async () => {
  doing = "it is deleted";
  await harness.admin.delete(relayResource, at);
  await eventually("it is gone", async () =>
    (await harness.admin.get(relayResource, at)) === undefined ? true : undefined,
  );
  const leaving = recorded.filter(({ relay }) => relay.metadata.deletionTimestamp !== undefined);
  assert.ok(leaving.length > 0);
  for (const { relay } of leaving) assert.equal(kstatusOf(relay), "Terminating");
});

/** Goes over what was recorded; a failure names what had been done. */
function forEach(check: (relay: KubeObject, earlier: KubeObject | undefined) => void): void {
  assert.ok(recorded.length > Object.keys(scenarios).length);
  for (const [index, { relay, after: sentence }] of recorded.entries()) {
    try {
      check(relay, recorded[index - 1]?.relay);
    } catch (error) {
      throw new Error(`Version ${relay.metadata.resourceVersion ?? ""}, after ${sentence}`, { cause: error });
    }
  }
}

function conditionsOf(relay: KubeObject): readonly ConditionView[] {
  return statusOf(relay).conditions ?? [];
}

test("every version: all conditions are about one generation, and what is about an older one is in progress", () => {
  forEach((relay) => {
    const { observedGeneration } = statusOf(relay);
    for (const condition of conditionsOf(relay)) assert.equal(condition.observedGeneration, observedGeneration);
    const isStale = observedGeneration !== relay.metadata.generation;
    if (isStale && relay.metadata.deletionTimestamp === undefined) assert.equal(kstatusOf(relay), "InProgress");
  });
});

test("every version whose conditions were written is about its own generation", () => {
  forEach((relay, earlier) => {
    const previous = earlier === undefined ? [] : conditionsOf(earlier);
    if (JSON.stringify(previous) === JSON.stringify(conditionsOf(relay))) return;
    assert.equal(statusOf(relay).observedGeneration, relay.metadata.generation);
  });
});

test("every version: lastTransitionTime moves with the status of a condition, and never without", () => {
  forEach((relay, earlier) => {
    for (const now of conditionsOf(relay)) {
      const previous = earlier === undefined ? undefined : conditionOf(earlier, now.type);
      if (previous === undefined) continue;
      if (previous.status === now.status) assert.equal(now.lastTransitionTime, previous.lastTransitionTime, now.type);
      // Whole seconds: two transitions may fall into one.
      else assert.ok((now.lastTransitionTime ?? "") >= (previous.lastTransitionTime ?? "?"), now.type);
    }
  });
});

test("every version: only the combinations of conditions that are documented", () => {
  const always = ["Accepted", "Applied", "Available", "Degraded", "Progressing", "Ready"];
  forEach((relay) => {
    const conditions = conditionsOf(relay);
    if (conditions.length === 0) return;
    const state = Object.fromEntries(conditions.map(({ type, status, reason }) => [type, { status, reason }]));
    const abnormal = ["Contended", "Reconciling", "Stalled"].filter((type) => type in state);
    assert.deepEqual(Object.keys(state).toSorted(), [...always, ...abnormal].toSorted());
    for (const type of abnormal) assert.equal(state[type]?.status, "True", type);
    for (const { type, reason } of conditions) assert.ok(Object.hasOwn(reasons, reason), `${type} ${reason}`);
    const isReady = state["Ready"]?.status === "True";
    const isResting = ["ScaledToZero", "Suspended"].includes(state["Ready"]?.reason ?? "");
    const kinds = ["Reconciling", "Stalled"].filter((type) => type in state);
    assert.equal(kinds.length, isReady || isResting ? 0 : 1, "exactly one of Reconciling and Stalled");
    if (!isReady) return;
    const expected = { Accepted: "True", Applied: "True", Available: "True", Degraded: "False", Progressing: "False" };
    for (const [type, status] of Object.entries(expected)) assert.equal(state[type]?.status, status, type);
  });
});

test("pods that are wanted or replaced after a complete rollout are never called lost", () => {
  const harmless = new Set([
    "it is created",
    "its image is changed",
    "it is scaled up, and the pods take their time",
    "they take it no longer",
    "it is scaled to three",
    "a pod is deleted",
  ]);
  const versions = recorded.filter((each) => harmless.has(each.after));
  const degraded = versions.filter(({ relay }) => conditionOf(relay, "Degraded")?.status === "True");
  assert.deepEqual(
    degraded.map(({ after: sentence, relay }) => [sentence, conditionOf(relay, "Degraded")?.reason]),
    [],
  );
});

test("a change of live settings is one write of the status", () => {
  const sentence = "what it prints is changed";
  const versions = recorded.filter((each) => each.after === sentence);
  const statuses = versions.map(({ relay }) => {
    const { relays: _reports, ...written } = statusOf(relay);
    return JSON.stringify(written);
  });
  assert.equal(new Set(statuses).size, 2, "before and after");
});
