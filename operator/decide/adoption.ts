import { deployments, serviceAccounts, services } from "../../lib/kube/resources.ts";
import type { KubeObject, OwnerReference } from "../../lib/kube/types.ts";
import { type Relay, apiGroup, relayKind } from "../api/relay.ts";
import { relayAppLabel, relayNameLabel, selectorLabels } from "../desired/names.ts";
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
 * Why an object of somebody else cannot be taken over. Who may write a relay may not for that write whatever has its name, so only
 * what is a relay's already is taken: its author had to have the right to make it one.
 * @param beside the Deployment of the relay's name as it is, whoever has it
 * @returns undefined when it can
 */
export function refusalOf(
  live: KubeObject,
  desired: DesiredObject,
  relay: Relay,
  beside: KubeObject | undefined,
): string | undefined {
  const { labels = {}, ownerReferences = [] } = live.metadata;
  const other = labels[relayNameLabel];
  if (other !== undefined && other !== relay.metadata.name) return `it is of ${relayKind} ${other}`;
  // Who controls it would put it back, and who owns it relies on its going with that owner.
  const owner = ownerReferences.find((each) => each.uid !== relay.metadata.uid && !isKubeArmorOperator(each));
  if (owner !== undefined) return `${owner.kind} ${owner.name} ${owner.controller === true ? "controls" : "owns"} it`;
  switch (desired.resource) {
    case deployments:
      return isOfRelay(templateLabels(live)) ? refusalOfSelector(live, desired, relay) : "its pods are no relay's";
    case services:
      return isOfRelay(serviceSelector(live)) ? undefined : "it does not lead to a relay's pods";
    case serviceAccounts:
      return isAccountOf(beside, live) ? undefined : "no relay that could be taken over runs under it";
    default:
      return "only a Deployment, a Service and a ServiceAccount can be";
  }
}

/** As clients find relays: whoever made it, its author says that it is one. */
function isOfRelay(labels: Labels): boolean {
  return unmet({ matchLabels: relayAppLabel }, labels).length === 0;
}

/**
 * Whether pods that were somebody else's run under the account. Those of a Deployment that was taken over did, or it would have been
 * refused; that it was taken over is told by its selector, which lacks our label for its life.
 */
function isAccountOf(beside: KubeObject | undefined, { metadata: { name } }: KubeObject): boolean {
  if (beside === undefined || name === "default") return false;
  const isBornOurs = selectorOf(beside).matchLabels?.[relayNameLabel] !== undefined;
  return !isBornOurs && isOfRelay(templateLabels(beside)) && specOf(beside).template?.spec?.serviceAccountName === name;
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
  readonly template?: {
    readonly metadata?: { readonly labels?: Labels };
    readonly spec?: { readonly serviceAccountName?: string };
  };
}

function specOf(deployment: KubeObject): DeploymentSpec {
  return deployment["spec"] ?? {};
}

function templateLabels(deployment: KubeObject): Labels {
  return specOf(deployment).template?.metadata?.labels ?? {};
}

function serviceSelector(service: KubeObject): Labels {
  return (service["spec"] as { readonly selector?: Labels } | undefined)?.selector ?? {};
}

/**
 * Whether what a manager wrote stays its own when the object is taken over: controllers of the cluster write into objects of
 * everybody.
 */
export function keepsItsFields(manager: string): boolean {
  return manager.endsWith("controller-manager");
}

/** By which an object says to the tools that made it what they may do with it: without them they would delete what they no longer make. */
const tellsTools = [
  "helm.sh/resource-policy",
  "kustomize.toolkit.fluxcd.io/prune",
  "kustomize.toolkit.fluxcd.io/reconcile",
  "kustomize.toolkit.fluxcd.io/ssa",
  "argocd.argoproj.io/sync-options",
  "argocd.argoproj.io/compare-options",
] as const;

/** Fields that stay with whoever wrote them. */
export const untakenPaths: readonly (readonly string[])[] = [
  // A finalizer is a promise to clean up, whoever owns the object.
  ["metadata", "finalizers"],
  ...tellsTools.flatMap((key) => [
    ["metadata", "annotations", key],
    ["metadata", "labels", key],
  ]),
  // Of a ServiceAccount: its pods may need them to get their images.
  ["imagePullSecrets"],
  ["secrets"],
];
