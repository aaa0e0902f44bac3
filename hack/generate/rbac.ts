/** operator/permissions.ts -> config/operator/rbac.yaml. `--check` writes nothing and fails when it differs. */
import { Document, type YAMLMap, type YAMLSeq } from "yaml";
import { type Permission, clusterPermissions, ownNamespacePermissions } from "../../operator/permissions.ts";
import { writeGenerated } from "./output.ts";

const operator = "kubearmor-relay-operator";
const namespace = "kubearmor-relay-system";
const group = "rbac.authorization.k8s.io";
const subjects = [{ kind: "ServiceAccount", name: operator, namespace }];

function roleDocument(kind: "ClusterRole" | "Role", permissions: readonly Permission[]): string {
  const document = new Document({
    apiVersion: `${group}/v1`,
    kind,
    metadata: kind === "Role" ? { name: operator, namespace } : { name: operator },
    rules: permissions.map((permission) => ({
      apiGroups: [permission.group],
      resources: [permission.resource],
      ...(permission.names === undefined ? {} : { resourceNames: permission.names }),
      verbs: permission.verbs,
    })),
  });
  const rules = (document.get("rules") as YAMLSeq<YAMLMap>).items;
  for (const [index, rule] of rules.entries()) {
    rule.commentBefore = ` ${permissions[index]?.why ?? ""}`;
    for (const { value } of rule.items) (value as YAMLSeq).flow = true;
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function bindingDocument(kind: "ClusterRoleBinding" | "RoleBinding", roleKind: string): string {
  return new Document({
    apiVersion: `${group}/v1`,
    kind,
    metadata: kind === "RoleBinding" ? { name: operator, namespace } : { name: operator },
    roleRef: { apiGroup: group, kind: roleKind, name: operator },
    subjects,
  }).toString();
}

const text = [
  "# Generated from operator/permissions.ts by hack/generate/rbac.ts. Do not edit.\n",
  [
    roleDocument("ClusterRole", clusterPermissions),
    bindingDocument("ClusterRoleBinding", "ClusterRole"),
    roleDocument("Role", ownNamespacePermissions),
    bindingDocument("RoleBinding", "Role"),
  ].join("---\n"),
].join("");
const path = new URL("../../config/operator/rbac.yaml", import.meta.url);
process.exitCode = await writeGenerated([{ path, text }], process.argv.slice(2));
