import assert from "node:assert/strict";
import { test } from "node:test";
import { deploymentOf, podOf, relayOf } from "../testing/samples.ts";
import { type Situation, conditionsOf } from "./conditions.ts";
import { type Reports, readReports } from "./reports.ts";

/** One pod has confirmed everything, but for what a case changes. */
function reportsOf(changes: Partial<Reports> = {}): Reports {
  const none = readReports({ pods: [], entries: [], settings: undefined, nowMs: 0 });
  return { ...none, livePods: 1, ...changes };
}

/** A situation in which all is well, but for what a case changes. */
function situation(changes: Partial<Situation> = {}): Situation {
  return {
    relay: relayOf(),
    problems: [],
    write: { kind: "applied" },
    deployment: deploymentOf(),
    pods: [],
    lostPods: [],
    reports: reportsOf(),
    fights: [],
    ...changes,
  };
}

const notRolledOut = deploymentOf({ updated: 1, available: 0 });
const completeBefore = { conditions: [{ type: "Progressing", status: "True", reason: "NewReplicaSetAvailable" }] };
const deadline = {
  conditions: [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded", message: "timed out" }],
};
const refusedPods = {
  conditions: [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "exceeded quota" }],
};
const denied = {
  kind: "failed",
  reason: "PermissionDenied",
  message: "cannot create services",
  isRetryable: false,
} as const;

/** Each condition as `status/reason`; those not named must be absent. */
type Expected = Readonly<Record<string, string>>;

const fine: Expected = {
  Ready: "True/RelayReady",
  Accepted: "True/Valid",
  Applied: "True/Applied",
  Available: "True/PodsAvailable",
  Progressing: "False/RolloutComplete",
  Degraded: "False/AsExpected",
};

const cases: Readonly<Record<string, readonly [Situation, Expected]>> = {
  "everything is applied and every pod serves": [situation(), fine],
  "the Deployment's controller has not seen the newest template: its numbers are not believed": [
    situation({ deployment: deploymentOf({}, { observedGeneration: 1 }) }),
    {
      ...fine,
      Ready: "False/RolloutNotObserved",
      Progressing: "True/RolloutNotObserved",
      Reconciling: "True/RolloutNotObserved",
    },
  ],
  "an old pod is still there": [
    situation({ deployment: deploymentOf({ total: 2 }) }),
    {
      ...fine,
      Ready: "False/RolloutInProgress",
      Progressing: "True/RolloutInProgress",
      Reconciling: "True/RolloutInProgress",
    },
  ],
  "the new pod is not available yet": [
    situation({ deployment: notRolledOut }),
    {
      ...fine,
      Ready: "False/RolloutInProgress",
      Available: "False/NoPodsAvailable",
      Progressing: "True/RolloutInProgress",
      Reconciling: "True/RolloutInProgress",
    },
  ],
  "the new pod crashes while the old one serves": [
    situation({
      deployment: deploymentOf({ total: 2, updated: 1, available: 1 }),
      pods: [podOf({ state: { waiting: { reason: "CrashLoopBackOff" } } })],
    }),
    {
      ...fine,
      Ready: "False/CrashLooping",
      Progressing: "True/RolloutInProgress",
      Degraded: "True/CrashLooping",
      Reconciling: "True/CrashLooping",
    },
  ],
  "the rollout is stuck for longer than its deadline": [
    situation({ deployment: deploymentOf({ total: 2, available: 1, updated: 1 }, deadline) }),
    {
      ...fine,
      Ready: "False/ProgressDeadlineExceeded",
      Progressing: "False/ProgressDeadlineExceeded",
      Degraded: "True/ProgressDeadlineExceeded",
      Stalled: "True/ProgressDeadlineExceeded",
    },
  ],
  "pods cannot even be created": [
    situation({ deployment: deploymentOf({ total: 0, updated: 0, available: 0 }, refusedPods) }),
    {
      ...fine,
      Ready: "False/PodsRefused",
      Available: "False/NoPodsAvailable",
      Progressing: "False/PodsRefused",
      Degraded: "True/PodsRefused",
      Reconciling: "True/PodsRefused",
    },
  ],
  "a pod was lost after a complete rollout": [
    situation({ deployment: deploymentOf({ wanted: 2, available: 1 }, completeBefore), lostPods: ["b"] }),
    {
      ...fine,
      Ready: "False/PodsNotAvailable",
      Degraded: "True/PodsNotAvailable",
      Reconciling: "True/PodsNotAvailable",
    },
  ],
  "more pods are wanted after a complete rollout, and are coming up": [
    situation({ deployment: deploymentOf({ wanted: 2, available: 1 }, completeBefore) }),
    {
      ...fine,
      Ready: "False/RolloutInProgress",
      Progressing: "True/RolloutInProgress",
      Reconciling: "True/RolloutInProgress",
    },
  ],
  "more pods are wanted after a complete rollout, and one cannot start": [
    situation({
      deployment: deploymentOf({ wanted: 2, available: 1 }, completeBefore),
      pods: [podOf({ state: { waiting: { reason: "ErrImagePull" } } })],
    }),
    {
      ...fine,
      Ready: "False/ImagePullFailed",
      Progressing: "True/RolloutInProgress",
      Degraded: "True/ImagePullFailed",
      Reconciling: "True/ImagePullFailed",
    },
  ],
  "a pod was lost, and another one has to be made": [
    situation({
      deployment: deploymentOf({ wanted: 2, total: 1, updated: 1, available: 0 }, completeBefore),
      lostPods: ["b"],
    }),
    {
      ...fine,
      Ready: "False/RolloutInProgress",
      Available: "False/NoPodsAvailable",
      Progressing: "True/RolloutInProgress",
      Reconciling: "True/RolloutInProgress",
    },
  ],
  "a pod too many is known for a moment": [situation({ reports: reportsOf({ livePods: 2 }) }), fine],
  "every pod serves, whatever was said of one before": [
    situation({ pods: [podOf({ state: { waiting: { reason: "CrashLoopBackOff" } } })] }),
    fine,
  ],
  "there are to be no pods, and those that were have yet to go": [
    situation({
      deployment: deploymentOf({ wanted: 0 }),
      reports: reportsOf({ waiting: ["Pod a"], problems: ["Pod a: no"] }),
    }),
    { ...fine, Ready: "False/ScaledToZero", Available: "False/ScaledToZero" },
  ],
  "the pods have yet to report": [
    situation({ reports: reportsOf({ waiting: ["Pod a has not reported yet"] }) }),
    {
      ...fine,
      Ready: "False/AwaitingReport",
      Progressing: "True/AwaitingReport",
      Reconciling: "True/AwaitingReport",
    },
  ],
  "not every pod is known yet": [
    situation({ reports: reportsOf({ livePods: 0 }) }),
    {
      ...fine,
      Ready: "False/AwaitingReport",
      Progressing: "True/AwaitingReport",
      Reconciling: "True/AwaitingReport",
    },
  ],
  "a pod serves and does not report": [
    situation({ reports: reportsOf({ waiting: ["Pod a"], silent: ["Pod a"] }) }),
    { ...fine, Ready: "False/NotReporting", Degraded: "True/NotReporting", Reconciling: "True/NotReporting" },
  ],
  "an old pod of a rollout does not report, as it cannot": [
    situation({
      deployment: deploymentOf({ total: 2 }),
      reports: reportsOf({ livePods: 2, waiting: ["Pod a"], silent: ["Pod a"] }),
    }),
    {
      ...fine,
      Ready: "False/RolloutInProgress",
      Progressing: "True/RolloutInProgress",
      Reconciling: "True/RolloutInProgress",
    },
  ],
  "a pod that serves refuses its settings": [
    situation({ reports: reportsOf({ waiting: ["Pod a"], problems: ["Pod a: no"] }) }),
    { ...fine, Ready: "False/RelayProblem", Degraded: "True/RelayProblem", Reconciling: "True/RelayProblem" },
  ],
  "the only pod is not available any more, and says why": [
    situation({
      deployment: deploymentOf({ available: 0 }, completeBefore),
      lostPods: ["a"],
      reports: reportsOf({ problems: ["Pod a: pods is forbidden"] }),
    }),
    {
      ...fine,
      Ready: "False/RelayProblem",
      Available: "False/NoPodsAvailable",
      Degraded: "True/RelayProblem",
      Reconciling: "True/RelayProblem",
    },
  ],
  "the rollout is stuck for longer than its deadline, and the new pod says why": [
    situation({
      deployment: deploymentOf({ total: 2, available: 1, updated: 1 }, deadline),
      reports: reportsOf({ livePods: 2, problems: ["Pod a: pods is forbidden"] }),
    }),
    {
      ...fine,
      Ready: "False/RelayProblem",
      Progressing: "False/ProgressDeadlineExceeded",
      Degraded: "True/RelayProblem",
      Stalled: "True/RelayProblem",
    },
  ],
  "a pod has reported a problem and crashes since": [
    situation({
      deployment: deploymentOf({ available: 0 }),
      pods: [podOf({ state: { waiting: { reason: "CrashLoopBackOff" } } })],
      reports: reportsOf({ problems: ["Pod pod-1: pods is forbidden"] }),
    }),
    {
      ...fine,
      Ready: "False/CrashLooping",
      Available: "False/NoPodsAvailable",
      Progressing: "True/RolloutInProgress",
      Degraded: "True/CrashLooping",
      Reconciling: "True/CrashLooping",
    },
  ],
  "there are to be no pods": [
    situation({ deployment: deploymentOf({ wanted: 0 }) }),
    { ...fine, Ready: "False/ScaledToZero", Available: "False/ScaledToZero" },
  ],
  "the spec is invalid while the old pods serve": [
    situation({ problems: ["spec.replicas: no"], write: { kind: "not-attempted" } }),
    {
      ...fine,
      Ready: "False/InvalidSpec",
      Accepted: "False/InvalidSpec",
      Applied: "False/InvalidSpec",
      Stalled: "True/InvalidSpec",
    },
  ],
  "the spec needs rights in the cluster that the operator does not have": [
    situation({
      problems: ["agents.namespaces: set it"],
      refusal: "ClusterRightsNeeded",
      write: { kind: "not-attempted" },
    }),
    {
      ...fine,
      Ready: "False/ClusterRightsNeeded",
      Accepted: "False/ClusterRightsNeeded",
      Applied: "False/ClusterRightsNeeded",
      Stalled: "True/ClusterRightsNeeded",
    },
  ],
  "the container cannot hold its buffer, which was no mistake once": [
    situation({ relay: relayOf({ limits: { bufferBytes: "512Mi" } }) }),
    { ...fine, Accepted: "True/Unwise" },
  ],
  "a write is refused for good before there are pods": [
    situation({ write: denied, deployment: undefined }),
    {
      ...fine,
      Ready: "False/PermissionDenied",
      Applied: "False/PermissionDenied",
      Available: "False/NoPodsAvailable",
      Progressing: "False/NotApplied",
      Stalled: "True/PermissionDenied",
    },
  ],
  "a write failed and is retried": [
    situation({ write: { ...denied, reason: "ApplyFailed", isRetryable: true } }),
    { ...fine, Ready: "False/ApplyFailed", Applied: "False/ApplyFailed", Reconciling: "True/ApplyFailed" },
  ],
  "somebody else's object is in the way": [
    situation({ write: { kind: "blocked", reason: "NameConflict", message: "Service kubearmor" } }),
    { ...fine, Ready: "False/NameConflict", Applied: "False/NameConflict", Stalled: "True/NameConflict" },
  ],
  "KubeArmorOperator's is": [
    situation({ write: { kind: "blocked", reason: "Conflict", message: "Deployment kubearmor-relay" } }),
    { ...fine, Ready: "False/Conflict", Applied: "False/Conflict", Stalled: "True/Conflict" },
  ],
  "somebody else keeps writing": [
    situation({ fights: ["Service kubearmor: .spec.type by other"] }),
    {
      ...fine,
      Ready: "False/Contended",
      Applied: "False/Contended",
      Reconciling: "True/Contended",
      Contended: "True/Contended",
    },
  ],
  "an object of a predecessor is in the way, and going": [
    situation({ write: { kind: "blocked", reason: "AwaitingDeletion", message: "Service kubearmor" } }),
    {
      ...fine,
      Ready: "False/AwaitingDeletion",
      Applied: "False/AwaitingDeletion",
      Reconciling: "True/AwaitingDeletion",
    },
  ],
  "suspended, and nothing differs": [situation({ write: { kind: "suspended", different: [] } }), fine],
  "suspended, and something differs": [
    situation({ write: { kind: "suspended", different: ["ConfigMap kubearmor-relay"] } }),
    { ...fine, Ready: "False/Suspended", Applied: "False/Suspended" },
  ],
};

for (const [sentence, [given, expected]] of Object.entries(cases)) {
  test(`conditionsOf(): ${sentence}`, () => {
    const found = conditionsOf(given).map(({ type, status, reason }) => [type, `${status}/${reason}`]);
    assert.deepEqual(Object.fromEntries(found), expected);
  });
}

test("conditionsOf(): Ready and Degraded are in the pod's own words", () => {
  const found = conditionsOf(situation({ reports: reportsOf({ problems: ["Pod a: pods is forbidden", "Pod b: x"] }) }));
  const messages = found.filter(({ type }) => type === "Ready" || type === "Degraded").map(({ message }) => message);
  assert.deepEqual(new Set(messages), new Set(["Pod a: pods is forbidden; Pod b: x"]));
});
