import {
  clusterRoleBindings,
  clusterRoles,
  configMaps,
  deployments,
  networkPolicies,
  podDisruptionBudgets,
  pods,
  roleBindings,
  roles,
  serviceAccounts,
  services,
} from "../../lib/kube/resources.ts";
import type { KubeObject, ManagedFieldsEntry, Resource } from "../../lib/kube/types.ts";
import { relayResource } from "../api/relay.ts";
import { fieldManager, managedByLabel, relayAppLabel, relayNameLabel } from "../desired/names.ts";

/** A kind that is watched. */
export interface Source {
  readonly resource: Resource;
  readonly labelSelector?: string;
  /** Drops what nobody reads before the object is kept. */
  readonly trim?: (object: KubeObject) => KubeObject;
}

export const relaySource: Source = { resource: relayResource, trim: withoutManagedFields };

const managedBy = Object.entries(managedByLabel).map(([key, value]) => `${key}=${value}`);

/**
 * Kinds that relays own. Only what carries our label is watched: the memory of the operator grows with its relays and not
 * with the cluster. An object that loses the label looks deleted, and is read and repaired like one.
 */
export const childSources: readonly Source[] = [
  serviceAccounts,
  roles,
  roleBindings,
  clusterRoles,
  clusterRoleBindings,
  configMaps,
  services,
  podDisruptionBudgets,
  networkPolicies,
  deployments,
].map((resource) => ({ resource, labelSelector: managedBy.join(","), trim: withoutFieldsOfOthers }));

/** Why a relay's pods do not serve is said by the pods alone. */
export const podSource: Source = {
  resource: pods,
  labelSelector: [...Object.entries(relayAppLabel).map(([key, value]) => `${key}=${value}`), relayNameLabel].join(","),
  trim: trimPod,
};

/** Who else wrote an object and when is read, and of what is ours every field; what others own is most of the record. */
function withoutFieldsOfOthers(object: KubeObject): KubeObject {
  const { managedFields } = object.metadata;
  if (managedFields === undefined) return object;
  const kept = managedFields.map((entry) => (entry.manager === fieldManager ? entry : withoutFields(entry)));
  return { ...object, metadata: { ...object.metadata, managedFields: kept } };
}

function withoutFields(entry: ManagedFieldsEntry): ManagedFieldsEntry {
  const { fieldsV1: _, ...rest } = entry;
  return rest;
}

function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

interface PodParts {
  readonly spec?: { readonly containers?: readonly { readonly name: string; readonly image?: string }[] };
  readonly status?: {
    readonly phase?: unknown;
    readonly initContainerStatuses?: unknown;
    readonly containerStatuses?: unknown;
    readonly conditions?: unknown;
  };
}

function trimPod(object: KubeObject): KubeObject {
  const { apiVersion, kind } = object;
  const { spec, status } = object as PodParts;
  const { metadata } = withoutManagedFields(object);
  return {
    apiVersion,
    kind,
    metadata,
    spec: { containers: spec?.containers?.map(({ name, image }) => ({ name, image })) },
    status: {
      phase: status?.phase,
      initContainerStatuses: status?.initContainerStatuses,
      containerStatuses: status?.containerStatuses,
      conditions: status?.conditions,
    },
  };
}
