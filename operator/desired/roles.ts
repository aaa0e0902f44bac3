import { clusterRoleBindings, clusterRoles, roleBindings, roles } from "../../lib/kube/resources.ts";
import type { Relay } from "../api/relay.ts";
import { clusterRoleName, leaseName } from "./names.ts";
import { type DesiredObject, clusterObject, namespacedObject } from "./object.ts";

const rbacGroup = "rbac.authorization.k8s.io";

/**
 * Its own settings, and the Lease that says whose turn it is to print. That is for a single replica too: while several become
 * one, the last pods of several still take turns, and must be able to end theirs. Nothing else of its namespace.
 */
export function role(relay: Relay): DesiredObject {
  const { name } = relay.metadata;
  const settings = {
    apiGroups: [""],
    resources: ["configmaps"],
    resourceNames: [name],
    verbs: ["get", "list", "watch"],
  };
  const lease = { apiGroups: ["coordination.k8s.io"], resources: ["leases"] };
  const turns = [
    // The name of what is being created is not known to who authorizes it.
    { ...lease, verbs: ["create"] },
    { ...lease, resourceNames: [leaseName(relay)], verbs: ["get", "update"] },
  ];
  return namespacedObject(relay, roles, {
    name,
    body: { rules: [settings, ...turns] },
  });
}

export function roleBinding(relay: Relay): DesiredObject {
  const { name } = relay.metadata;
  return namespacedObject(relay, roleBindings, {
    name,
    body: { roleRef: { apiGroup: rbacGroup, kind: "Role", name }, subjects: [subject(relay)] },
  });
}

/** Discovery: agents run in any namespace. Enrichment: so does who they saw. */
export function clusterRole(relay: Relay): DesiredObject {
  const resources = relay.spec.enrichment.remoteHost ? ["pods", "services"] : ["pods"];
  return clusterObject(relay, clusterRoles, {
    name: clusterRoleName(relay),
    body: { rules: [{ apiGroups: [""], resources, verbs: ["list", "watch"] }] },
  });
}

export function clusterRoleBinding(relay: Relay): DesiredObject {
  const name = clusterRoleName(relay);
  return clusterObject(relay, clusterRoleBindings, {
    name,
    body: { roleRef: { apiGroup: rbacGroup, kind: "ClusterRole", name }, subjects: [subject(relay)] },
  });
}

function subject(relay: Relay): object {
  return { kind: "ServiceAccount", name: relay.metadata.name, namespace: relay.metadata.namespace ?? "" };
}
