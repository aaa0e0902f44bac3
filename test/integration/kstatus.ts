import type { KubeObject } from "../../lib/kube/types.ts";
import { conditionOf, statusOf } from "./operator-harness.ts";

export type Verdict = "Current" | "Failed" | "InProgress" | "Terminating";

/**
 * What Flux, Helm and `kustomize` wait by, for a kind that they do not know.
 * https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
 */
export function kstatusOf(relay: KubeObject): Verdict {
  if (relay.metadata.deletionTimestamp !== undefined) return "Terminating";
  const { observedGeneration } = statusOf(relay);
  if (observedGeneration !== undefined && observedGeneration !== relay.metadata.generation) return "InProgress";
  if (conditionOf(relay, "Reconciling")?.status === "True") return "InProgress";
  if (conditionOf(relay, "Stalled")?.status === "True") return "Failed";
  const ready = conditionOf(relay, "Ready");
  return ready === undefined || ready.status === "True" ? "Current" : "InProgress";
}
