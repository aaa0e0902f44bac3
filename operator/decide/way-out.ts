import type { KubeObject } from "../../lib/kube/types.ts";

/** Who a thing in our way belongs to, and what can be done about it. */
export interface WayOut {
  readonly reason: "NameConflict" | "Conflict";
  readonly text: string;
}

/** Made by KubeArmor's own operator: its objects are owned by its own Deployment. */
function isOfKubeArmorOperator({ metadata }: KubeObject): boolean {
  return (
    metadata.ownerReferences?.some(({ kind, name }) => kind === "Deployment" && name === "kubearmor-operator") === true
  );
}

function helmRelease({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.["meta.helm.sh/release-name"];
}

/** What a deletion would not do is said for each: KubeArmorOperator makes anew what is deleted, and Helm at the next upgrade. */
export function wayOut(objects: readonly KubeObject[]): WayOut {
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
