import { isNotFound } from "../../lib/kube/errors.ts";
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from "../../lib/kube/resources.ts";
import type { KubeClient, KubeObject, Resource } from "../../lib/kube/types.ts";
import { type Relay, cleanupFinalizer, relayResource } from "../api/relay.ts";
import type { LiveObject } from "../decide/plan.ts";
import type { Reach } from "../decide/reach.ts";
import { clusterRoleName } from "../desired/names.ts";
import { ownerOf } from "../watch/keys.ts";
import { remove } from "./write.ts";

export interface FinalizerDeps {
  readonly client: Pick<KubeClient, "get" | "delete" | "mergePatch">;
  readonly wrote: (resource: Resource, object: KubeObject) => void;
}

/** What is known of a relay that is gone. */
interface Named {
  readonly metadata: { readonly namespace?: string; readonly name: string };
}

export function hasFinalizer(relay: Pick<KubeObject, "metadata">): boolean {
  return relay.metadata.finalizers?.includes(cleanupFinalizer) === true;
}

/** Must come before the first cluster-scoped object: one that is made later could be left behind for ever. */
export async function addFinalizer(relay: Relay, deps: FinalizerDeps, signal: AbortSignal): Promise<void> {
  await patchFinalizers(relay, [...(relay.metadata.finalizers ?? []), cleanupFinalizer], deps, signal);
}

export async function removeFinalizer(relay: Relay, deps: FinalizerDeps, signal: AbortSignal): Promise<void> {
  const others = relay.metadata.finalizers?.filter((each) => each !== cleanupFinalizer) ?? [];
  try {
    await patchFinalizers(relay, others, deps, signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/**
 * Deletes the objects of a relay which no owner reference can reach.
 * @param known those of other namespaces are found by the caches only
 * @param reach outside of it there are none, and nothing is asked for
 */
export async function deleteUnowned(
  relay: Named,
  known: readonly LiveObject[],
  reach: Reach,
  deps: Pick<FinalizerDeps, "client">,
  signal: AbortSignal,
): Promise<void> {
  const name = clusterRoleName(relay);
  // The binding first: a binding to a role that is gone would bind to whoever makes that role anew.
  for (const resource of reach === undefined ? [clusterRoleBindings, clusterRoles] : []) {
    const object = await deps.client.get(resource, { name }, signal);
    if (object !== undefined && isOurs(object, relay)) await remove({ resource, object }, deps.client, signal);
  }
  for (const resource of [roleBindings, roles]) {
    const ours = known.filter((each) => each.resource === resource && isOurs(each.object, relay));
    for (const each of ours) await remove(each, deps.client, signal);
  }
}

function isOurs(object: KubeObject, { metadata }: Named): boolean {
  const owner = ownerOf(object);
  return owner !== undefined && owner.namespace === metadata.namespace && owner.name === metadata.name;
}

async function patchFinalizers(
  relay: Relay,
  finalizers: readonly string[],
  deps: FinalizerDeps,
  signal: AbortSignal,
): Promise<void> {
  // The version makes it conditional: the list is written as a whole, and others may have added to it.
  const { resourceVersion } = relay.metadata;
  const patch = { metadata: { resourceVersion, finalizers } };
  deps.wrote(relayResource, await deps.client.mergePatch(relayResource, relay.metadata, patch, signal));
}
