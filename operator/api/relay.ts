import type { KubeObject, Resource } from "../../lib/kube/types.ts";
import { amendOlder } from "./amend-older.ts";
import { readValue } from "./read-value.ts";
import { ruleHolds } from "./rules.ts";
import { relaySchema } from "./schema.gen.ts";
import type { Violation } from "./schema.ts";
import type { DefaultedKubeArmorRelay } from "./types.gen.ts";

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** A KubeArmorRelay as the operator reads it: every field has its type, and every field with a default is there. */
export type Relay = DeepReadonly<DefaultedKubeArmorRelay> & {
  /** What the object breaks of its CRD. Fields that could not be read have their defaults. Absent when there is nothing. */
  readonly violations?: readonly ToleratedViolation[];
};
export type RelaySpec = Relay["spec"];
export type RelayStatus = Relay["status"];
export type Condition = NonNullable<RelayStatus["conditions"]>[number];

export interface ToleratedViolation extends Violation {
  /** An older CRD allowed it, and the relay is acted upon all the same. */
  readonly isTolerated: boolean;
}

export const apiGroup = "operator.kubearmor.com";
export const apiVersion = `${apiGroup}/v1alpha1`;
export const relayKind = "KubeArmorRelay";

export const relayResource: Resource = {
  group: apiGroup,
  version: "v1alpha1",
  kind: relayKind,
  plural: "kubearmorrelays",
  namespaced: true,
};

/** On a CR only while cluster-scoped objects of it may exist: the garbage collector cannot see those. */
export const cleanupFinalizer = `kubearmorrelay.${apiGroup}/cleanup`;

/** A limit that is younger than the first CRD. */
const memoryRule =
  "the memory limit must be at least twice limits.bufferBytes, or the container is killed before its buffer is full";

/**
 * Whatever was stored, under this CRD, an older or a newer one, or none: never throws. The server has applied defaults and
 * rules, but those of the CRD it had then.
 */
export function parseRelay(object: KubeObject): Relay {
  const { amended, warnings } = amendOlder(object);
  const violations = warnings.map(({ path, message }) => ({ path, message, isTolerated: true }));
  const report = (violation: Violation) => {
    // Status is the operator's own and the pods': what cannot be read of it is written anew.
    if (violation.path !== "status" && !/^status[.]/.test(violation.path))
      violations.push({ ...violation, isTolerated: violation.message === memoryRule });
  };
  const relay = readValue(amended, relaySchema, "", { holds: ruleHolds, report, reportRule: report }) as Relay;
  return violations.length === 0 ? relay : { ...relay, violations };
}
