import { deployments } from "../../lib/kube/resources.ts";
import type { KubeObject, OwnerReference } from "../../lib/kube/types.ts";
import { type Relay, apiGroup, relayKind } from "../api/relay.ts";
import { ownerLabels, relayNameLabel, selectorLabels } from "../desired/names.ts";
import type { DesiredObject } from "../desired/object.ts";
import { type Labels, selectorOf, unmet } from "./adoption-selector.ts";

/** On a relay: take over what somebody else made under the names that it wants. */
export const adoptAnnotation = `${apiGroup}/adopt`;

/** Of the Deployment that KubeArmor's own operator runs in, which is named as the owner of all that it makes. */
const kubeArmorOperator = "kubearmor-operator";

export function wantsAdoption({ metadata }: Pick<KubeObject, "metadata">): boolean {
  return metadata.annotations?.[adoptAnnotation] === "true";
}

/** That is KubeArmor's own operator: it makes what is missing, and does not mind what is taken from it. */
export function isKubeArmorOperator({ kind, name }: OwnerReference): boolean {
  return kind === "Deployment" && name === kubeArmorOperator;
}

/**
 * Why an object of somebody else cannot be taken over.
 * @returns undefined when it can
 */
export function refusalOf(live: KubeObject, desired: DesiredObject, relay: Relay): string | undefined {
  const { namespace, labels = {}, ownerReferences = [] } = live.metadata;
  // Elsewhere nothing can be owned, and the name is the operator's own.
  if (namespace === undefined || namespace !== relay.metadata.namespace)
    return "only objects of the relay's own namespace are taken over";
  const other = labels[relayNameLabel] ?? labels[ownerLabels.name];
  if (other !== undefined && other !== relay.metadata.name) return `it is of ${relayKind} ${other}`;
  // Whoever controls it would put it back, and its garbage collection goes with that owner.
  const controller = ownerReferences.find((owner) => owner.controller === true && !isKubeArmorOperator(owner));
  if (controller !== undefined) return `${controller.kind} ${controller.name} controls it`;
  return desired.resource === deployments ? refusalOfSelector(live, desired, relay) : undefined;
}

/** Pods must be found by the Deployment's selector, which cannot be changed, and by ours, which other objects have, too. */
function refusalOfSelector(live: KubeObject, desired: DesiredObject, relay: Relay): string | undefined {
  const [miss] = unmet(selectorOf(live), { ...templateLabels(fitted(desired, live).object), ...selectorLabels(relay) });
  return miss === undefined ? undefined : `its selector, which cannot be changed, asks for ${miss}`;
}

/**
 * The desired object as it can be written to the one that exists: a Deployment keeps its selector for its life, so one that was
 * taken over keeps that of whoever made it, and its pods carry the labels that it asks for besides ours.
 */
export function fitted(desired: DesiredObject, live: KubeObject | undefined): DesiredObject {
  if (desired.resource !== deployments || live === undefined) return desired;
  const spec = specOf(desired.object);
  const selector = selectorOf(live);
  const labels: Labels = { ...templateLabels(desired.object), ...selector.matchLabels };
  const template = { ...spec.template, metadata: { ...spec.template?.metadata, labels } };
  return { ...desired, object: { ...desired.object, spec: { ...spec, selector, template } } };
}

interface DeploymentSpec {
  readonly template?: { readonly metadata?: { readonly labels?: Labels } };
}

function specOf(deployment: KubeObject): DeploymentSpec {
  return deployment["spec"] ?? {};
}

function templateLabels(deployment: KubeObject): Labels {
  return specOf(deployment).template?.metadata?.labels ?? {};
}

/**
 * Whether what a manager wrote stays its own when the object is taken over: controllers of the cluster write into objects of
 * everybody.
 */
export function keepsItsFields(manager: string): boolean {
  return manager.endsWith("controller-manager");
}

/** Fields that stay with whoever wrote them: a finalizer is a promise to clean up, whoever owns the object. */
export const untakenPaths: readonly (readonly string[])[] = [["metadata", "finalizers"]];
