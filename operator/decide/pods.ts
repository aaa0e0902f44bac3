import type { KubeObject } from "../../lib/kube/types.ts";
import type { Reason } from "./reasons.ts";

/** What keeps a pod from serving, so that a person need not look for the pod. */
export interface PodProblem {
  readonly reason: Extract<Reason, "CrashLooping" | "ImagePullFailed" | "ContainerNotStarted" | "Unschedulable">;
  readonly message: string;
}

interface Terminated {
  readonly exitCode?: number;
  readonly reason?: string;
}

interface ContainerStatus {
  readonly name: string;
  readonly image?: string;
  readonly ready?: boolean;
  /** Whether its startup probe has succeeded since it runs. */
  readonly started?: boolean;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: Terminated;
  };
  readonly lastState?: { readonly terminated?: Terminated };
}

interface PodView {
  readonly metadata: KubeObject["metadata"];
  readonly spec?: { readonly containers?: readonly { readonly name: string; readonly image?: string }[] };
  readonly status?: {
    readonly phase?: string;
    /** Of containers that `podTemplate` adds; they start first. */
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

const pullReasons = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "RegistryUnavailable",
]);
const startReasons = new Set(["CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError"]);

/** The problem of the first pod, by name, that has one; pods that are over or being deleted do not count. */
export function problemOfPods(pods: readonly KubeObject[]): PodProblem | undefined {
  const byName = pods.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  for (const pod of byName) {
    const problem = isOver(pod) ? undefined : problemOf(pod);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Ended or being deleted. An evicted pod is left lying long after another has taken its place. */
export function isOver({ metadata, status }: PodView): boolean {
  return metadata.deletionTimestamp !== undefined || status?.phase === "Failed" || status?.phase === "Succeeded";
}

function problemOf(pod: PodView): PodProblem | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  for (const container of [...initContainerStatuses, ...containerStatuses]) {
    const problem = container.ready === true ? undefined : problemOfContainer(pod, container);
    if (problem !== undefined) return problem;
  }
  const scheduled = pod.status?.conditions?.find((condition) => condition.type === "PodScheduled");
  if (scheduled?.status !== "False" || scheduled.reason !== "Unschedulable") return undefined;
  return { reason: "Unschedulable", message: `Pod ${pod.metadata.name} is Unschedulable: ${scheduled.message ?? ""}` };
}

function problemOfContainer(pod: PodView, container: ContainerStatus): PodProblem | undefined {
  const waiting = container.state?.waiting;
  const reason = waiting?.reason ?? "";
  const at = `Pod ${pod.metadata.name}`;
  if (pullReasons.has(reason)) {
    const image = pod.spec?.containers?.find((each) => each.name === container.name)?.image ?? container.image ?? "";
    // The kubelet's own words alternate between trying and waiting: repeating them would write the status each time.
    const said = reason === "ImagePullBackOff" ? "ErrImagePull" : reason;
    return { reason: "ImagePullFailed", message: `${at} cannot pull image "${image}": ${said}` };
  }
  if (startReasons.has(reason))
    return { reason: "ContainerNotStarted", message: `${at} cannot start: ${reason}: ${waiting?.message ?? ""}` };
  // How an earlier run ended is no news once the process is up again.
  const earlier = container.started === true ? undefined : container.lastState?.terminated;
  const ended = container.state?.terminated ?? earlier;
  const how = ended === undefined ? "" : `: ${ended.reason ?? "ended"}, exit code ${ended.exitCode ?? "unknown"}`;
  if (reason === "CrashLoopBackOff") return { reason: "CrashLooping", message: `${at} is in CrashLoopBackOff${how}` };
  if (ended === undefined || ended.exitCode === 0) return undefined;
  return { reason: "CrashLooping", message: `${at} crashed${how}` };
}
