import { clusterRoleBindings, clusterRoles, roleBindings, roles } from "../../lib/kube/resources.ts";
import type { Relay } from "../api/relay.ts";
import { clusterRoleName } from "./names.ts";
import { type DesiredObject, clusterObject, namespacedObject } from "./object.ts";

const rbacGroup = "rbac.authorization.k8s.io";

/** Its own settings and nothing else of its namespace. */
export function role(relay: Relay): DesiredObject {
  return namespacedObject(relay, roles, {
    name: relay.metadata.name,
    body: {
      rules: [
        {
          apiGroups: [""],
          resources: ["configmaps"],
          resourceNames: [relay.metadata.name],
          verbs: ["get", "list", "watch"],
        },
      ],
    },
  });
}

export function roleBinding(relay: Relay): DesiredObject {
  const { name } = relay.metadata;
  return namespacedObject(relay, roleBindings, {
    name,
    body: { roleRef: { apiGroup: rbacGroup, kind: "Role", name }, subjects: [subject(relay)] },
  });
}

/** Discovery: agents run in any namespace. */
export function clusterRole(relay: Relay): DesiredObject {
  return clusterObject(relay, clusterRoles, {
    name: clusterRoleName(relay),
    body: { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"] }] },
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
