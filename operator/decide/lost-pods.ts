import type { KubeObject } from "../../lib/kube/types.ts";
import { isOver } from "./pods.ts";

/** Pods of a relay that do not serve and are not coming up either. */
export interface LostPods {
  readonly names: readonly string[];
  /** After how long another pod is to be called lost. */
  readonly nextMs: number | undefined;
}

interface PodView {
  readonly metadata: KubeObject["metadata"];
  readonly status?: {
    readonly phase?: string;
    readonly startTime?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastTransitionTime?: string;
    }[];
  };
}

interface DeploymentView {
  readonly spec?: { readonly progressDeadlineSeconds?: number };
}

/** The API's own default, in seconds. */
const defaultDeadline = 600;
/** The kubelet says that a pod is not ready in the same write as when it started; times are in whole seconds. */
const toleranceMs = 2_000;

/**
 * A pod is lost that was ready and is so no more, or has not become ready within the Deployment's progress deadline. All
 * others that are not ready, and those that are not known yet, are coming up: the Deployment says nothing of them, because a
 * change of its scale and the replacement of a pod are no rollout to its controller.
 * @param nowMs milliseconds since 1970
 */
export function lostPodsOf(pods: readonly KubeObject[], deployment: KubeObject | undefined, nowMs: number): LostPods {
  const { progressDeadlineSeconds = defaultDeadline } = (deployment as DeploymentView | undefined)?.spec ?? {};
  const absent = pods
    .filter((pod: PodView) => !isOver(pod) && readyOf(pod)?.status !== "True")
    .map((pod) => ({ name: pod.metadata.name, inMs: lostInMs(pod, progressDeadlineSeconds * 1_000, nowMs) }));
  const coming = absent.flatMap(({ inMs }) => (inMs > 0 ? [inMs] : []));
  return {
    names: absent.filter(({ inMs }) => inMs <= 0).map(({ name }) => name),
    nextMs: coming.length === 0 ? undefined : Math.min(...coming),
  };
}

function lostInMs(pod: PodView, deadlineMs: number, nowMs: number): number {
  return wasReady(pod) ? 0 : timeOf(pod.metadata.creationTimestamp, nowMs) + deadlineMs - nowMs;
}

/** Its readiness has changed since it started, and it is not ready now. */
function wasReady(pod: PodView): boolean {
  const changedMs = timeOf(readyOf(pod)?.lastTransitionTime, 0);
  return changedMs > timeOf(pod.status?.startTime, changedMs) + toleranceMs;
}

function readyOf({ status }: PodView) {
  return status?.conditions?.find(({ type }) => type === "Ready");
}

function timeOf(text: string | undefined, otherwiseMs: number): number {
  return text === undefined ? otherwiseMs : Date.parse(text);
}
