import type { KubeObject, Resource } from "../../lib/kube/types.ts";
import { relayDefaults } from "./defaults.gen.ts";
import { withDefaults } from "./defaults.ts";
import type { DefaultedKubeArmorRelay } from "./types.gen.ts";

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** A KubeArmorRelay as the operator reads it: every field with a default is there. */
export type Relay = DeepReadonly<DefaultedKubeArmorRelay>;
export type RelaySpec = Relay["spec"];
export type RelayStatus = Relay["status"];
export type Condition = NonNullable<RelayStatus["conditions"]>[number];

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

/** The server has checked the types by the CRD; defaults are added again for objects stored under an older CRD. */
export function parseRelay(object: KubeObject): Relay {
  return withDefaults(object, relayDefaults) as Relay;
}
