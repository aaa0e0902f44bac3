import type { KubeObject } from "../../lib/kube/types.ts";
import { wantsAdoption } from "../decide/adoption.ts";

/**
 * What of a relay a pass depends on, as one text: as long as it is the same, a change is none. Labels, annotations but the
 * one that asks for adoption, and foreign finalizers are not in it; the status is, as somebody else may have written it.
 */
export function relayFingerprint(object: KubeObject, finalizer: string): string {
  return JSON.stringify([wishFingerprint(object, finalizer), object["status"]]);
}

/** The same without the status, for the answers to our own writes of it: they would each be followed by another pass. */
export function wishFingerprint(object: KubeObject, finalizer: string): string {
  const { uid, generation, deletionTimestamp, finalizers } = object.metadata;
  return JSON.stringify([
    uid,
    generation,
    deletionTimestamp,
    finalizers?.includes(finalizer) ?? false,
    wantsAdoption(object),
  ]);
}
