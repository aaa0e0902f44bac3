import type { Relay } from "../api/relay.ts";
import { configMap } from "./config-map.ts";
import { type DeploymentOptions, deployment } from "./deployment.ts";
import type { DesiredObject } from "./object.ts";
import { clusterRole, clusterRoleBinding, role, roleBinding } from "./roles.ts";
import { serviceAccount } from "./service-account.ts";
import { service } from "./service.ts";

/** All objects of a relay, in the order in which they are written: what pods need is there before the pods. */
export function desiredObjects(relay: Relay, options: DeploymentOptions): readonly DesiredObject[] {
  return [
    serviceAccount(relay),
    role(relay),
    roleBinding(relay),
    clusterRole(relay),
    clusterRoleBinding(relay),
    configMap(relay),
    service(relay),
    deployment(relay, options),
  ];
}
