import { isForbidden, isInvalid, isNotFound } from "../../lib/kube/errors.ts";
import { apiVersion } from "../../lib/kube/resources.ts";
import type { KubeClient, Resource } from "../../lib/kube/types.ts";
import { textHash } from "../../lib/process/text-hash.ts";
import type { NamespacedName } from "../config.ts";
import type { RelayEntry } from "./entry.ts";

const relays: Resource = {
  group: "operator.kubearmor.com",
  version: "v1alpha1",
  kind: "KubeArmorRelay",
  plural: "kubearmorrelays",
  namespaced: true,
};

/** https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers */
const maxManagerLength = 128;

/** One a pod: whoever applies an entry takes away what else it applied before, so pods must not share one. */
export function fieldManager(pod: string): string {
  const name = `relay-${pod}`;
  if (name.length <= maxManagerLength) return name;
  const end = `-${textHash(pod)}`;
  return name.slice(0, maxManagerLength - end.length) + end;
}

/** Puts a pod's entry where that pod's former one was, and leaves those of the others. It needs the right to patch the status. */
export async function applyEntry(
  client: Pick<KubeClient, "apply">,
  { namespace, name }: NamespacedName,
  entry: RelayEntry,
  signal: AbortSignal,
): Promise<void> {
  const object = {
    apiVersion: apiVersion(relays),
    kind: relays.kind,
    metadata: { namespace, name },
    status: { relays: [entry] },
  };
  const manager = { fieldManager: fieldManager(entry.pod), force: true, subresource: "status" } as const;
  await client.apply(relays, object, manager, signal);
}

/** Why an entry was not taken: there is no such KubeArmorRelay; RBAC; the CRD has no place for it; anything else. */
export const reportFailures = ["gone", "forbidden", "refused", "unreachable"] as const;
export type ReportFailure = (typeof reportFailures)[number];

export function classifyReportFailure(error: unknown): ReportFailure {
  if (isNotFound(error)) return "gone";
  if (isForbidden(error)) return "forbidden";
  return isInvalid(error) ? "refused" : "unreachable";
}
