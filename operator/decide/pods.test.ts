import assert from "node:assert/strict";
import { test } from "node:test";
import { podOf } from "../testing/samples.ts";
import { type PodProblem, problemOfPods } from "./pods.ts";

const unschedulable = {
  conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/1 nodes fit" }],
};
const exited = (exitCode: number, reason = "Error") => ({ terminated: { exitCode, reason } });

const cases: Readonly<Record<string, readonly [ReturnType<typeof podOf>, PodProblem | undefined]>> = {
  "a container that is starting has none": [podOf({ state: { waiting: { reason: "ContainerCreating" } } }), undefined],
  "a container that runs and is not ready yet has none": [podOf({ state: { running: {} } }), undefined],
  "an image that cannot be pulled is named": [
    podOf({ state: { waiting: { reason: "ErrImagePull", message: "not found" } } }),
    { reason: "ImagePullFailed", message: 'Pod pod-1 cannot pull image "registry/relay:1": ErrImagePull' },
  ],
  "waiting to pull again reads the same as failing to pull, so that the status does not alternate": [
    podOf({ state: { waiting: { reason: "ImagePullBackOff", message: "Back-off 10s" } } }),
    { reason: "ImagePullFailed", message: 'Pod pod-1 cannot pull image "registry/relay:1": ErrImagePull' },
  ],
  "a missing ConfigMap keeps the container from starting": [
    podOf({ state: { waiting: { reason: "CreateContainerConfigError", message: 'configmap "x" not found' } } }),
    {
      reason: "ContainerNotStarted",
      message: 'Pod pod-1 cannot start: CreateContainerConfigError: configmap "x" not found',
    },
  ],
  "a crash loop says how the last run ended, and not for how long it waits": [
    podOf({
      state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 20s" } },
      lastState: exited(137, "OOMKilled"),
    }),
    { reason: "CrashLooping", message: "Pod pod-1 is in CrashLoopBackOff: OOMKilled, exit code 137" },
  ],
  "a container that comes before ours, by podTemplate, is looked at, too": [
    podOf(
      { state: { waiting: { reason: "PodInitializing" } } },
      {
        initContainerStatuses: [
          { name: "first", image: "registry/first:1", ready: false, state: { waiting: { reason: "ErrImagePull" } } },
        ],
      },
    ),
    { reason: "ImagePullFailed", message: 'Pod pod-1 cannot pull image "registry/first:1": ErrImagePull' },
  ],
  "a container that has just crashed is named before the node backs off": [
    podOf({ state: exited(1) }),
    { reason: "CrashLooping", message: "Pod pod-1 crashed: Error, exit code 1" },
  ],
  "a container that crashed and is being started again is named": [
    podOf({ started: false, state: { running: {} }, lastState: exited(1) }),
    { reason: "CrashLooping", message: "Pod pod-1 crashed: Error, exit code 1" },
  ],
  "a container that crashed long ago and is up, but not ready, has none": [
    podOf({ started: true, state: { running: {} }, lastState: exited(137, "OOMKilled") }),
    undefined,
  ],
  "a crash loop of a process that ends well says so": [
    podOf({ state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: exited(0, "Completed") }),
    { reason: "CrashLooping", message: "Pod pod-1 is in CrashLoopBackOff: Completed, exit code 0" },
  ],
  "an evicted pod that was left lying has none": [
    podOf({ state: exited(137, "ContainerStatusUnknown") }, { phase: "Failed", reason: "Evicted" }),
    undefined,
  ],
  "a pod that ended well has none": [podOf({ state: exited(0, "Completed") }, { phase: "Succeeded" }), undefined],
  "a container that crashed once and is ready again has none": [
    podOf({ ready: true, state: { running: {} }, lastState: exited(1) }),
    undefined,
  ],
  "a container that has just ended well has none": [podOf({ state: exited(0, "Completed") }), undefined],
  "a container that ended well and is being started again has none": [
    podOf({ started: false, state: { running: {} }, lastState: exited(0, "Completed") }),
    undefined,
  ],
  "a pod that no node takes says why": [
    podOf({ state: {} }, unschedulable),
    { reason: "Unschedulable", message: "Pod pod-1 is Unschedulable: 0/1 nodes fit" },
  ],
};

for (const [sentence, [pod, expected]] of Object.entries(cases)) {
  test(`problemOfPods(): ${sentence}`, () => {
    assert.deepEqual(problemOfPods([pod]), expected);
  });
}

const crashing = (name: string, deletionTimestamp?: string) => {
  const pod = podOf({ state: exited(1) });
  const deletion = deletionTimestamp === undefined ? {} : { deletionTimestamp };
  return { ...pod, metadata: { ...pod.metadata, name, ...deletion } };
};

test("problemOfPods() passes over pods that are being deleted and takes the first by name", () => {
  const pods = [crashing("c"), crashing("a", "2026-01-01T00:00:00Z"), crashing("b")];
  assert.match(problemOfPods(pods)?.message ?? "", /^Pod b /);
});
