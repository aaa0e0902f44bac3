import { textHash } from "../../lib/process/text-hash.ts";
import { type Relay, apiGroup } from "../api/relay.ts";

/** Where clients look for relays, agents of KubeArmor's ecosystem included: on pods, their Deployment and one Service only. */
export const relayAppLabel = { "kubearmor-app": "kubearmor-relay" } as const;

/** Of Services, and of labels' values. */
const maxNameLength = 63;

/** Of every object but the relay's own status. It must never change: what was applied under another name would stay. */
export const fieldManager = "kubearmor-relay-operator";

export const managedByLabel = { "app.kubernetes.io/managed-by": "kubearmor-relay-operator" } as const;

/** Names the relay a namespaced object or a pod belongs to. */
export const relayNameLabel = `${apiGroup}/relay`;

/** On cluster-scoped objects, which cannot have a namespaced owner. */
export const ownerLabels = {
  namespace: `${apiGroup}/owner-namespace`,
  name: `${apiGroup}/owner-name`,
  uid: `${apiGroup}/owner-uid`,
} as const;

/** Of the pods; part of the Deployment's immutable selector, so it must never change. */
export function selectorLabels(relay: Relay): Record<string, string> {
  return { ...relayAppLabel, [relayNameLabel]: relay.metadata.name };
}

/** On every object of a relay. The CR's own labels are never copied: GitOps tools would prune what carries theirs. */
export function objectLabels(relay: Relay): Record<string, string> {
  return { ...managedByLabel, "app.kubernetes.io/name": "kubearmor-relay", [relayNameLabel]: relay.metadata.name };
}

/** Unique in the cluster: a colon is allowed in names of RBAC objects and in no name of a namespace or a relay. */
export function clusterRoleName(relay: {
  readonly metadata: { readonly namespace?: string; readonly name: string };
}): string {
  return `kubearmor-relay:${relay.metadata.namespace ?? ""}:${relay.metadata.name}`;
}

interface Named {
  readonly metadata: { readonly name: string };
}

/**
 * Of the Service for metrics. Servers before 1.35 want a letter first, of Services alone; the other end keeps such a name apart
 * from those of relays that begin with that letter.
 */
export function metricsServiceName({ metadata: { name } }: Named): string {
  return /^[a-z]/.test(name) ? suffixed(name, "-metrics") : suffixed(`r-${name}`, "-metrics-0");
}

/**
 * Of the Lease whose holder prints, where there are several pods. Pods may write it: it must not be the name of another
 * component's Lease, whatever the relay is called.
 */
export function leaseName({ metadata }: Named): string {
  return suffixed(metadata.name, "-kubearmor-relay-stdout");
}

/**
 * A name of 63 characters at most, what a Service may have, for each of two relays another: one that was cut to make room for
 * a hash has exactly so many, and one that was not has fewer.
 */
function suffixed(name: string, suffix: string): string {
  if (name.length + suffix.length < maxNameLength) return name + suffix;
  const end = `-${textHash(name)}${suffix}`;
  return name.slice(0, maxNameLength - end.length) + end;
}

/** The label selector of the pods as text, for the scale subresource. */
export function selectorText(relay: Relay): string {
  return Object.entries(selectorLabels(relay))
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}
