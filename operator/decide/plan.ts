import { deployments, services } from "../../lib/kube/resources.ts";
import type { KubeObject, Resource } from "../../lib/kube/types.ts";
import { type Relay, relayKind } from "../api/relay.ts";
import { managedByLabel, ownerLabels, relayNameLabel } from "../desired/names.ts";
import type { DesiredObject } from "../desired/object.ts";
import { fitted, refusalOf, wantsAdoption } from "./adoption.ts";
import { unmet } from "./adoption-selector.ts";
import { olderClaimant } from "./claim.ts";
import { rolloutOf } from "./rollout.ts";

/** An object as it is; `undefined` when there is none of that name. */
export interface LiveObject {
  readonly resource: Resource;
  readonly object: KubeObject;
}

/** A desired object and the one of the same name that exists. */
export interface Pair {
  readonly desired: DesiredObject;
  readonly live: KubeObject | undefined;
}

/** A pair that differs, or lacks its live half. */
export interface PlannedWrite extends Pair {
  /** The fields that differ, for instance `.spec.replicas`. */
  readonly paths: readonly string[];
  /** Somebody else made it: what they wrote becomes ours first. */
  readonly adopts?: boolean;
}

/** In the way of what is desired. */
export interface ForeignObject extends LiveObject {
  /** Why it could not be taken over; undefined: it could be, were the relay to ask for it. */
  readonly refusal: string | undefined;
}

export interface Plan {
  /** To be written. */
  readonly writes: readonly PlannedWrite[];
  /** The relay's, and no longer wanted: deleted after the writes. */
  readonly deletes: readonly LiveObject[];
  /** In the way and not ours: left alone. */
  readonly foreign: readonly ForeignObject[];
  /** Somebody else's, and taken over as soon as pods of ours serve: until then theirs need it. */
  readonly adoptLater: readonly LiveObject[];
  /** In the way, and going: wait. */
  readonly leaving: readonly LiveObject[];
  /** There is none or a nameless one, and it goes to an older relay that wants it too. */
  readonly claimed: readonly { readonly desired: DesiredObject; readonly by: Relay }[];
  /** The relay has a Deployment of its own. */
  readonly isRunning: boolean;
}

export interface PlanInput {
  readonly relay: Relay;
  readonly pairs: readonly Pair[];
  /** All objects that name this relay as their owner. */
  readonly owned: readonly LiveObject[];
  /** All relays of the namespace that want a Service of the same name. */
  readonly wanting: readonly Relay[];
}

export interface PlanDeps {
  readonly fieldManager: string;
  /** The paths of what writing `desired` would change of `live`. */
  readonly differences: (live: KubeObject, desired: KubeObject, fieldManager: string) => readonly string[];
}

/** What has to be done to the objects. */
export function planOf({ relay, pairs, owned, wanting }: PlanInput, deps: PlanDeps): Plan {
  const writes: PlannedWrite[] = [];
  const foreign: ForeignObject[] = [];
  const later: Pair[] = [];
  const leaving: LiveObject[] = [];
  const claimed: Plan["claimed"][number][] = [];
  const older = olderClaimant(relay, wanting);
  const beside = pairs.find(({ desired }) => desired.resource === deployments)?.live;
  let isRunning = false;
  let serves = false;
  for (const pair of pairs) {
    const { desired, live } = pair;
    const { resource } = desired;
    const standing = live === undefined ? "free" : standingOf(live, relay, deps.fieldManager);
    const refusal = live === undefined ? undefined : refusalOf(live, desired, relay, beside);
    const isAdopted = standing === "foreign" && refusal === undefined && wantsAdoption(relay);
    if (live !== undefined && standing === "leaving") leaving.push({ resource, object: live });
    else if (live !== undefined && standing === "foreign" && !isAdopted)
      foreign.push({ resource, object: live, refusal });
    else if ((standing === "free" || isAdopted) && older !== undefined && isClaimed(desired, relay))
      claimed.push({ desired, by: older });
    else if (isAdopted && resource !== deployments) later.push(pair);
    else if (isAdopted) writes.push(adoption(pair));
    else {
      const wish = fitted(desired, live);
      const paths = live === undefined ? [] : deps.differences(live, wish.object, deps.fieldManager);
      if (live === undefined || paths.length > 0) writes.push({ desired: wish, live, paths });
      if (resource === deployments) isRunning = standing === "ours";
      // Nothing serves with no pods, whatever is complete.
      if (isRunning && resource === deployments) serves = paths.length === 0 && rolloutOf(live).kind === "complete";
    }
  }
  if (serves) writes.push(...later.map(adoption));
  const adoptLater = serves
    ? []
    : later.flatMap(({ desired: { resource }, live }) => (live === undefined ? [] : [{ resource, object: live }]));
  const wanted = new Set(pairs.map(({ desired }) => keyOf(desired.resource, desired.object)));
  const deletes = owned
    .filter(
      ({ resource, object }) =>
        !wanted.has(keyOf(resource, object)) && standingOf(object, relay, deps.fieldManager) === "ours",
    )
    .toSorted(bindingsFirst);
  return { writes, deletes, foreign, adoptLater, leaving, claimed, isRunning };
}

function adoption({ desired, live }: Pair): PlannedWrite {
  return { desired: fitted(desired, live), live, paths: [".metadata.managedFields"], adopts: true };
}

/** Only of the Service that clients use the spec says the name. */
function isClaimed({ resource, object }: DesiredObject, { spec }: Relay): boolean {
  return resource === services && object.metadata.name === spec.service.name;
}

/** `free`: written by us, but nothing says for which relay. */
type Standing = "ours" | "free" | "foreign" | "leaving";

/** Owners are compared by UID: a relay that was deleted and made anew does not own its predecessor's objects. */
function standingOf(live: KubeObject, relay: Relay, fieldManager: string): Standing {
  const { metadata } = live;
  if (metadata.deletionTimestamp !== undefined) return "leaving";
  const labels = metadata.labels ?? {};
  const isUnowned = metadata.namespace !== relay.metadata.namespace || labels[ownerLabels.name] !== undefined;
  if (isUnowned) {
    // The name says which relay it is for, so what a predecessor left behind is taken over.
    const isOurs =
      labels[ownerLabels.namespace] === relay.metadata.namespace && labels[ownerLabels.name] === relay.metadata.name;
    return isOurs || wasWrittenBy(live, fieldManager) ? "ours" : "foreign";
  }
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  if (controller === undefined) {
    const labelled = labels[relayNameLabel];
    if (!wasWrittenBy(live, fieldManager)) return "foreign";
    if (labelled === relay.metadata.name) return "ours";
    // The record alone does not tell it from what was to be taken over, and then was not.
    return labelled === undefined && unmet({ matchLabels: managedByLabel }, labels).length === 0 ? "free" : "foreign";
  }
  if (controller.uid === relay.metadata.uid) return "ours";
  // A predecessor's: the garbage collector is on its way.
  return controller.kind === relayKind && controller.name === relay.metadata.name ? "leaving" : "foreign";
}

/** Somebody took the owner reference off, but not the record of who wrote the object. */
function wasWrittenBy(live: KubeObject, fieldManager: string): boolean {
  return live.metadata.managedFields?.some((entry) => entry.manager === fieldManager) === true;
}

/** A binding to a role that is gone would bind to whoever makes that role anew. */
function bindingsFirst(a: LiveObject, b: LiveObject): number {
  const rank = ({ resource }: LiveObject) => (resource.kind.endsWith("Binding") ? 0 : 1);
  return rank(a) - rank(b);
}

function keyOf(resource: Resource, { metadata }: KubeObject): string {
  return `${resource.group}/${resource.kind}/${metadata.namespace ?? ""}/${metadata.name}`;
}

/** How messages name an object. */
export function objectText({ resource, object }: { readonly resource: Resource; readonly object: KubeObject }): string {
  return `${resource.kind} ${object.metadata.name}`;
}
