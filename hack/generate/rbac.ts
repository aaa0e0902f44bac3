/** operator/permissions.ts -> the roles in config/. `--check` writes nothing and fails when one differs. */
import { Document, type YAMLMap, type YAMLSeq } from "yaml";
import {
  type Permission,
  clusterPermissions,
  heldVerbs,
  ownNamespacePermissions,
  watchedNamespacePermissions,
} from "../../operator/permissions.ts";
import { writeGenerated } from "./output.ts";

const operator = "kubearmor-relay-operator";
const namespace = "kubearmor-relay-system";
const group = "rbac.authorization.k8s.io";
const subjects = [{ kind: "ServiceAccount", name: operator, namespace }];
const header = "# Generated from operator/permissions.ts by hack/generate/rbac.ts. Do not edit.\n";

interface Named {
  readonly name: string;
  /** Absent for objects of the cluster, and where whoever installs it says which. */
  readonly namespace?: string;
}

function roleDocument(kind: "ClusterRole" | "Role", metadata: Named, permissions: readonly Permission[]): string {
  const document = new Document({
    apiVersion: `${group}/v1`,
    kind,
    metadata,
    rules: permissions.map((permission) => ({
      apiGroups: [permission.group],
      resources: [permission.resource],
      ...(permission.names === undefined ? {} : { resourceNames: permission.names }),
      verbs: heldVerbs(permission),
    })),
  });
  const rules = (document.get("rules") as YAMLSeq<YAMLMap>).items;
  for (const [index, rule] of rules.entries()) {
    rule.commentBefore = ` ${permissions[index]?.why ?? ""}`;
    for (const { value } of rule.items) (value as YAMLSeq).flow = true;
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function bindingDocument(kind: "ClusterRoleBinding" | "RoleBinding", roleKind: string, metadata: Named): string {
  return new Document({
    apiVersion: `${group}/v1`,
    kind,
    metadata,
    roleRef: { apiGroup: group, kind: roleKind, name: metadata.name },
    subjects,
  }).toString();
}

const own = { name: operator, namespace };
const cluster = { name: operator };
const watched = { name: `${operator}-relays` };
const files = {
  "operator/rbac.yaml": [
    roleDocument("ClusterRole", cluster, clusterPermissions),
    bindingDocument("ClusterRoleBinding", "ClusterRole", cluster),
    roleDocument("Role", own, ownNamespacePermissions),
    bindingDocument("RoleBinding", "Role", own),
  ],
  "operator-namespaced/watched/rbac.yaml": [
    roleDocument("Role", watched, watchedNamespacePermissions),
    bindingDocument("RoleBinding", "Role", watched),
  ],
};
const generated = Object.entries(files).map(([file, documents]) => ({
  path: new URL(`../../config/${file}`, import.meta.url),
  text: header + documents.join("---\n"),
}));
process.exitCode = await writeGenerated(generated, process.argv.slice(2));
