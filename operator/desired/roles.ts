import { clusterRoleBindings, clusterRoles, roleBindings, roles } from "../../lib/kube/resources.ts";
import { type Relay, relayResource } from "../api/relay.ts";
import { clusterRoleName, leaseName } from "./names.ts";
import { type DesiredObject, namespacedObject, unownedObject } from "./object.ts";

const rbacGroup = "rbac.authorization.k8s.io";

/**
 * Its own settings, its entry in the status of its own relay, and the Lease that says whose turn it is to print. That is for a
 * single replica too: while several become one, the last pods of several still take turns, and must be able to end theirs.
 * Nothing else of its namespace.
 */
export function role(relay: Relay): DesiredObject {
  const { name } = relay.metadata;
  const settings = {
    apiGroups: [""],
    resources: ["configmaps"],
    resourceNames: [name],
    verbs: ["get", "list", "watch"],
  };
  const report = {
    apiGroups: [relayResource.group],
    resources: [`${relayResource.plural}/status`],
    resourceNames: [name],
    verbs: ["patch"],
  };
  const lease = { apiGroups: ["coordination.k8s.io"], resources: ["leases"] };
  const turns = [
    // The name of what is being created is not known to who authorizes it.
    { ...lease, verbs: ["create"] },
    { ...lease, resourceNames: [leaseName(relay)], verbs: ["get", "update"] },
  ];
  return namespacedObject(relay, roles, {
    name,
    body: { rules: [settings, report, ...turns] },
  });
}

export function roleBinding(relay: Relay): DesiredObject {
  const { name } = relay.metadata;
  return namespacedObject(relay, roleBindings, {
    name,
    body: { roleRef: { apiGroup: rbacGroup, kind: "Role", name }, subjects: [subject(relay)] },
  });
}

/**
 * The right to find agents, and to name the peers that they saw. Peers are anywhere, and so are agents unless the spec says
 * where: only then are Roles of those namespaces enough.
 */
export function discoveryRights(relay: Relay): readonly DesiredObject[] {
  const { agents, enrichment } = relay.spec;
  const name = clusterRoleName(relay);
  const resources = enrichment.remoteHost ? ["pods", "services"] : ["pods"];
  const rules = [{ apiGroups: [""], resources, verbs: ["list", "watch"] }];
  const binding = (kind: "Role" | "ClusterRole") => ({
    roleRef: { apiGroup: rbacGroup, kind, name },
    subjects: [subject(relay)],
  });
  if (enrichment.remoteHost || agents.namespaces.length === 0) {
    return [
      unownedObject(relay, clusterRoles, { name, body: { rules } }),
      unownedObject(relay, clusterRoleBindings, { name, body: binding("ClusterRole") }),
    ];
  }
  return agents.namespaces
    .toSorted()
    .flatMap((namespace) => [
      unownedObject(relay, roles, { name, body: { rules } }, namespace),
      unownedObject(relay, roleBindings, { name, body: binding("Role") }, namespace),
    ]);
}

function subject(relay: Relay): object {
  return { kind: "ServiceAccount", name: relay.metadata.name, namespace: relay.metadata.namespace ?? "" };
}
