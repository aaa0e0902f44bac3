import type { KubeObject } from "../../lib/kube/types.ts";
import type { Repair } from "./contention.ts";
import { adoptAnnotation, isKubeArmorOperator } from "./adoption.ts";
import { type ForeignObject, type Plan, objectText } from "./plan.ts";
import type { WriteResult } from "./write-result.ts";

/** Who a thing in our way belongs to, and what can be done about it. */
export interface WayOut {
  readonly reason: "NameConflict" | "Conflict";
  readonly text: string;
}

/** Made by KubeArmor's own operator: its objects are owned by its own Deployment. */
function isOfKubeArmorOperator({ metadata }: KubeObject): boolean {
  return metadata.ownerReferences?.some(isKubeArmorOperator) === true;
}

function helmRelease({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.["meta.helm.sh/release-name"];
}

/** What a deletion would not do is said for each: KubeArmorOperator makes anew what is deleted, and Helm at the next upgrade. */
export function wayOut(objects: readonly ForeignObject[]): WayOut {
  const { reason, text } = withoutAdoption(objects.map(({ object }) => object));
  const refusals = objects.filter(({ refusal }) => refusal !== undefined);
  if (refusals.length === 0)
    return { reason, text: `Annotate this relay with ${adoptAnnotation}=true to take it over. Or: ${text}` };
  const why = refusals.map((each) => `${objectText(each)}: ${each.refusal ?? ""}`).join("; ");
  return { reason, text: `It cannot be taken over (${why}). ${text}` };
}

function withoutAdoption(objects: readonly KubeObject[]): WayOut {
  if (objects.some(isOfKubeArmorOperator)) {
    const text =
      "KubeArmorOperator made it, and makes it anew when it is deleted: scale its Deployment kubearmor-relay to 0, and give this relay another name and another spec.service.name, or run KubeArmor without that operator";
    return { reason: "Conflict", text };
  }
  const release = objects.map(helmRelease).find((name) => name !== undefined);
  if (release !== undefined) {
    const text = `It is of the Helm release ${release}: set kubearmorRelay.enabled=false there, or choose another name`;
    return { reason: "NameConflict", text };
  }
  return { reason: "NameConflict", text: "Remove it, or choose another name" };
}

/** What keeps objects of a plan from being written, if anything does. */
export function obstacleOf({ foreign, leaving, claimed }: Plan): WriteResult | undefined {
  if (foreign.length > 0) {
    const names = foreign.map(objectText).join(", ");
    const { reason, text } = wayOut(foreign);
    const message = `Not written, because it exists and belongs to somebody else: ${names}. ${text}`;
    return { kind: "blocked", reason, message };
  }
  const [claim] = claimed;
  if (claim !== undefined) {
    const { desired, by } = claim;
    const message = `Not written, because relay ${by.metadata.name} is older and wants it too: ${objectText(desired)}. Choose another name`;
    return { kind: "blocked", reason: "NameConflict", message };
  }
  if (leaving.length === 0) return undefined;
  const message = `Being deleted, and written anew after that: ${leaving.map(objectText).join(", ")}`;
  return { kind: "blocked", reason: "AwaitingDeletion", message };
}

/** What a plan leaves for later, if anything. */
export function postponed({ adoptLater }: Plan): WriteResult | undefined {
  if (adoptLater.length === 0) return undefined;
  const names = adoptLater.map(objectText).join(", ");
  const message = `Taken over as soon as the relay's own pods serve, as theirs need it until then: ${names}`;
  return { kind: "failed", reason: "Adopting", message, isRetryable: true };
}

/** What is told of a fight about an object, and what ends it where that is known. */
export function fightText(object: string, repair: Repair): string {
  if (repair.kind === "deleted") return `${object}, which is deleted again and again`;
  const { by, paths } = repair;
  const way = endOfFight(by, paths);
  return `${object}: ${paths.join(", ")} by ${by}${way === undefined ? "" : ` (${way})`}`;
}

function endOfFight(by: string, paths: readonly string[]): string | undefined {
  if (by === "kube-controller-manager" && paths.includes(".spec.replicas"))
    return "point the HorizontalPodAutoscaler at the KubeArmorRelay, which has a scale subresource of its own";
  // It runs as /operator, and the server names who writes after the program.
  if (by === "operator" || by === "kubearmor-operator")
    return "if this is KubeArmorOperator: set its KubeArmorConfig to what this relay has, turn TLS off in it, or scale its Deployment kubearmor-operator to 0";
  return undefined;
}
