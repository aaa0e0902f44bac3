import { apiVersion } from "../../lib/kube/resources.ts";
import type { KubeObject, ObjectMeta, OwnerReference, Resource } from "../../lib/kube/types.ts";
import { type Relay, apiVersion as relayApiVersion, relayKind } from "../api/relay.ts";
import { objectLabels, ownerLabels } from "./names.ts";

/** An object as it should be: exactly the fields that the operator has an opinion on. */
export interface DesiredObject {
  readonly resource: Resource;
  readonly object: KubeObject;
}

interface Content {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** An object in the relay's namespace, deleted with the relay by the garbage collector. */
export function namespacedObject(relay: Relay, resource: Resource, content: Content): DesiredObject {
  return build(resource, content, {
    ...(relay.metadata.namespace === undefined ? {} : { namespace: relay.metadata.namespace }),
    labels: { ...objectLabels(relay), ...content.labels },
    ownerReferences: [ownerReference(relay)],
  });
}

/** An object outside of any namespace, or in another one: deleted by the relay's finalizer, as nothing there can be owned. */
export function unownedObject(relay: Relay, resource: Resource, content: Content, namespace?: string): DesiredObject {
  return build(resource, content, {
    ...(namespace === undefined ? {} : { namespace }),
    labels: {
      ...objectLabels(relay),
      [ownerLabels.namespace]: relay.metadata.namespace ?? "",
      [ownerLabels.name]: relay.metadata.name,
      [ownerLabels.uid]: relay.metadata.uid ?? "",
      ...content.labels,
    },
  });
}

function ownerReference(relay: Relay): OwnerReference {
  return {
    apiVersion: relayApiVersion,
    kind: relayKind,
    name: relay.metadata.name,
    uid: relay.metadata.uid ?? "",
    controller: true,
    blockOwnerDeletion: true,
  };
}

function build(resource: Resource, content: Content, meta: Omit<ObjectMeta, "name">): DesiredObject {
  const annotations = content.annotations ?? {};
  return {
    resource,
    object: {
      apiVersion: apiVersion(resource),
      kind: resource.kind,
      metadata: {
        name: content.name,
        ...meta,
        // The server drops empty maps, so that sending one would look like a difference for ever.
        ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      },
      ...content.body,
    },
  };
}
