import type { KubeObject } from "../../lib/kube/types.ts";

interface DeploymentView {
  readonly metadata: { readonly generation?: number };
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

export interface PodCounts {
  readonly wanted: number;
  readonly total: number;
  readonly updated: number;
  readonly ready: number;
  readonly available: number;
}

/** How far the Deployment is with the newest template. */
export type Rollout =
  | { readonly kind: "missing" }
  /** Its controller has not seen the newest spec, so the rest of its status is about an older one. */
  | { readonly kind: "unobserved" }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "deadline-exceeded"; readonly message: string }
  | { readonly kind: "progressing" }
  /** It was complete, and since then pods were lost, or are wanted or replaced that are not there yet. */
  | { readonly kind: "unavailable" }
  | { readonly kind: "scaled-to-zero" }
  | { readonly kind: "complete" };

export function podCounts(deployment: KubeObject | undefined): PodCounts {
  const view = deployment as DeploymentView | undefined;
  const status = view?.status;
  return {
    wanted: view?.spec?.replicas ?? 1,
    total: status?.replicas ?? 0,
    updated: status?.updatedReplicas ?? 0,
    ready: status?.readyReplicas ?? 0,
    available: status?.availableReplicas ?? 0,
  };
}

/** By the rules of `kubectl rollout status`. */
export function rolloutOf(deployment: KubeObject | undefined): Rollout {
  if (deployment === undefined) return { kind: "missing" };
  const { metadata, status } = deployment as DeploymentView;
  const { wanted, total, updated, available } = podCounts(deployment);
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) return { kind: "unobserved" };
  const condition = (type: string) => status?.conditions?.find((each) => each.type === type);
  const isUpdated = updated >= wanted && total <= updated;
  if (isUpdated && available >= wanted) return wanted === 0 ? { kind: "scaled-to-zero" } : { kind: "complete" };
  const failure = condition("ReplicaFailure");
  if (failure?.status === "True") return { kind: "refused", message: failure.message ?? "" };
  const progress = condition("Progressing");
  if (progress?.status === "False" && progress.reason === "ProgressDeadlineExceeded")
    return { kind: "deadline-exceeded", message: progress.message ?? "" };
  if (isUpdated && progress?.reason === "NewReplicaSetAvailable") return { kind: "unavailable" };
  return { kind: "progressing" };
}
