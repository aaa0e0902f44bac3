import type { Resource } from "./types.ts";

const core = (kind: string, plural: string, namespaced = true): Resource => ({
  group: "",
  version: "v1",
  kind,
  plural,
  namespaced,
});

const v1 = (group: string, kind: string, plural: string, namespaced = true): Resource => ({
  group,
  version: "v1",
  kind,
  plural,
  namespaced,
});

export const pods = core("Pod", "pods");
export const services = core("Service", "services");
export const configMaps = core("ConfigMap", "configmaps");
export const serviceAccounts = core("ServiceAccount", "serviceaccounts");
export const namespaces = core("Namespace", "namespaces", false);
export const nodes = core("Node", "nodes", false);

export const deployments = v1("apps", "Deployment", "deployments");

export const podDisruptionBudgets = v1("policy", "PodDisruptionBudget", "poddisruptionbudgets");
export const networkPolicies = v1("networking.k8s.io", "NetworkPolicy", "networkpolicies");

const rbacGroup = "rbac.authorization.k8s.io";
export const roles = v1(rbacGroup, "Role", "roles");
export const roleBindings = v1(rbacGroup, "RoleBinding", "rolebindings");
export const clusterRoles = v1(rbacGroup, "ClusterRole", "clusterroles", false);
export const clusterRoleBindings = v1(rbacGroup, "ClusterRoleBinding", "clusterrolebindings", false);

export const leases = v1("coordination.k8s.io", "Lease", "leases");
/** Of events.k8s.io, which has series; the older core kind is another view of the same objects. */
export const events = v1("events.k8s.io", "Event", "events");

/** The `apiVersion` that objects of a kind carry. */
export function apiVersion(resource: Resource): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}
