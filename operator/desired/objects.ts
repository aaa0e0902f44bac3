import type { Relay } from "../api/relay.ts";
import { configMap } from "./config-map.ts";
import { type DeploymentOptions, deployment } from "./deployment.ts";
import type { DesiredObject } from "./object.ts";
import { metricsService } from "./metrics-service.ts";
import { networkPolicy } from "./network-policy.ts";
import { podDisruptionBudget } from "./pod-disruption-budget.ts";
import { discoveryRights, role, roleBinding } from "./roles.ts";
import { serviceAccount } from "./service-account.ts";
import { service } from "./service.ts";

/** All objects of a relay. */
export function desiredObjects(relay: Relay, options: DeploymentOptions): readonly DesiredObject[] {
  return [
    serviceAccount(relay),
    role(relay),
    roleBinding(relay),
    ...discoveryRights(relay),
    configMap(relay),
    service(relay),
    metricsService(relay),
    ...(hasBudget(relay) ? [podDisruptionBudget(relay)] : []),
    ...(relay.spec.networkPolicy.enabled ? [networkPolicy(relay)] : []),
    deployment(relay, options),
  ];
}

/** Not for a single pod, which would hold up every drain. */
function hasBudget({ spec }: Relay): boolean {
  return spec.podDisruptionBudget.enabled && spec.replicas > 1;
}

/**
 * Objects of one stage may be written at once, those of a later one only after them: the server looks a role up before it
 * lets somebody bind to it, clients find a Service as soon as it is there, and what pods need must be there before the pods.
 */
export function stageOf({ resource: { kind } }: DesiredObject): number {
  if (kind === "Deployment") return 2;
  return kind === "RoleBinding" || kind === "ClusterRoleBinding" || kind === "Service" ? 1 : 0;
}
