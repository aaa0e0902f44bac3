import type { KubeObject } from "../../lib/kube/types.ts";

/**
 * What of a relay a pass depends on, as one text: as long as it is the same, a change is none. The status is not in it, or
 * the operator would answer each of its own writes with another pass; nor are labels, annotations and foreign finalizers.
 */
export function relayFingerprint(object: KubeObject, finalizer: string): string {
  const { uid, generation, deletionTimestamp, finalizers } = object.metadata;
  return JSON.stringify([uid, generation, deletionTimestamp, finalizers?.includes(finalizer) ?? false]);
}
