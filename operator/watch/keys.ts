import type { KubeObject, ObjectName } from "../../lib/kube/types.ts";
import { apiGroup, parseRelay, relayKind } from "../api/relay.ts";
import { ownerLabels, relayNameLabel } from "../desired/names.ts";

/** `namespace/name` of a relay. */
export function relayKey({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

/** `namespace/name` of the Service that a relay wants. */
export function wantedService(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${parseRelay(object).spec.service.name}`;
}

export function parseKey(key: string): Required<ObjectName> {
  const slash = key.indexOf("/");
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The relay that an object is for which cannot have an owner reference: one of the cluster, or of another namespace. */
export function ownerOf({ metadata: { labels = {} } }: KubeObject): Required<ObjectName> | undefined {
  const namespace = labels[ownerLabels.namespace];
  const name = labels[ownerLabels.name];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

/**
 * The relays that a change of this object may concern: at least the one it belongs to. A key too many costs a pass over
 * caches; a key too few, drift that stays.
 */
export function keysOfChild(object: KubeObject): readonly string[] {
  const { namespace, labels = {}, ownerReferences = [] } = object.metadata;
  const relay = ownerOf(object);
  if (relay !== undefined) return [`${relay.namespace}/${relay.name}`];
  if (namespace === undefined) return [];
  const names = ownerReferences
    .filter((owner) => owner.kind === relayKind && owner.apiVersion.startsWith(`${apiGroup}/`))
    .map((owner) => owner.name);
  const labelled = labels[relayNameLabel];
  return [...new Set(labelled === undefined ? names : [...names, labelled])].map((name) => `${namespace}/${name}`);
}
