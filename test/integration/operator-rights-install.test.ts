import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { pods } from "../../lib/kube/resources.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import { type Harness, eventually, startHarness } from "./operator-harness.ts";

const config = new URL("../../config/", import.meta.url).pathname;
const namespace = "kubearmor-relay-system";

let harness: Harness;

before(async () => {
  harness = await startHarness();
});

after(() => harness[Symbol.asyncDispose]());

async function rendered(folder: string): Promise<readonly KubeObject[]> {
  const text = await harness.plane.kubectl(["kustomize", `${config}${folder}`]);
  return parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
}

function kindsOf(objects: readonly KubeObject[]): readonly string[] {
  return objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted();
}

test("config/operator: its objects", async () => {
  assert.deepEqual(kindsOf(await rendered("operator")), [
    "ClusterRole kubearmor-relay-edit",
    "ClusterRole kubearmor-relay-operator",
    "ClusterRole kubearmor-relay-view",
    "ClusterRoleBinding kubearmor-relay-operator",
    "Deployment kubearmor-relay-operator",
    "Namespace kubearmor-relay-system",
    "PodDisruptionBudget kubearmor-relay-operator",
    "Role kubearmor-relay-operator",
    "RoleBinding kubearmor-relay-operator",
    "ServiceAccount kubearmor-relay-operator",
  ]);
});

test("config/operator-namespaced: none of its objects is the cluster's, and its operator knows", async () => {
  const objects = await rendered("operator-namespaced");
  assert.deepEqual(kindsOf(objects), [
    "Deployment kubearmor-relay-operator",
    "PodDisruptionBudget kubearmor-relay-operator",
    "Role kubearmor-relay-operator",
    "Role kubearmor-relay-operator-relays",
    "RoleBinding kubearmor-relay-operator",
    "RoleBinding kubearmor-relay-operator-relays",
    "ServiceAccount kubearmor-relay-operator",
  ]);
  assert.ok(objects.every(({ metadata }) => metadata.namespace === namespace));
  const deployment = JSON.stringify(objects.find(({ kind }) => kind === "Deployment"));
  assert.match(deployment, /"--cluster-rights=false"/);
  assert.match(deployment, /"name":"WATCH_NAMESPACES","valueFrom":\{"fieldRef":\{"fieldPath":"metadata.namespace"\}\}/);
});

test("config/operator: the server takes it without a warning, and its pod where restricted is enforced", async () => {
  const { plane, admin } = harness;
  await plane.kubectl([
    "apply",
    "--server-side",
    "--force-conflicts",
    "--warnings-as-errors",
    "-k",
    `${config}operator`,
  ]);
  const labels = "app.kubernetes.io/name=kubearmor-relay-operator";
  const pod = await eventually("there is a pod", async () => {
    const [found] = await admin.list(pods, { namespace, labelSelector: labels });
    return found;
  });
  const enforced = await plane.kubectl(["get", "namespace", namespace, "-o", "jsonpath={.metadata.labels}"]);
  assert.match(enforced, /"pod-security.kubernetes.io\/enforce":"restricted"/);
  assert.ok(pod.metadata.name.startsWith("kubearmor-relay-operator-"));
});

test("kubearmor-relay-edit becomes part of the role edit by one label", async () => {
  const { kubectl } = harness.plane;
  const role = "clusterrole/kubearmor-relay-edit";
  await kubectl(["label", role, "rbac.authorization.k8s.io/aggregate-to-edit=true"]);
  const rules = () => kubectl(["get", "clusterrole", "edit", "-o", "jsonpath={.rules}"]);
  await eventually("it is part of it", async () => (isRelayWritten(await rules()) ? true : undefined));
  await kubectl(["label", role, "rbac.authorization.k8s.io/aggregate-to-edit-"]);
  await eventually("it is no more", async () => (isRelayWritten(await rules()) ? undefined : true));
});

/** Whether rules allow to make a relay. */
function isRelayWritten(rules: string): boolean {
  const parsed = JSON.parse(rules) as readonly {
    readonly resources?: readonly string[];
    readonly verbs: readonly string[];
  }[];
  return parsed.some(({ resources = [], verbs }) => resources.includes("kubearmorrelays") && verbs.includes("create"));
}

/** What users of these built-in roles may do to relays, and what they may not. */
const users: Readonly<Record<string, readonly [may: readonly string[], mayNot: readonly string[]]>> = {
  view: [
    ["get", "list", "watch"],
    ["create", "patch", "delete"],
  ],
  edit: [
    ["get", "list", "watch"],
    ["create", "patch", "delete"],
  ],
  admin: [
    ["get", "list", "watch"],
    ["create", "patch", "delete"],
  ],
  "kubearmor-relay-edit": [["get", "list", "watch", "create", "update", "patch", "delete"], ["escalate"]],
};

for (const [role, [may, mayNot]] of Object.entries(users)) {
  test(`somebody with the role ${role} in a namespace`, async () => {
    const user = `someone-with-${role}`;
    const { kubectl } = harness.plane;
    await kubectl(["-n", "default", "create", "rolebinding", user, `--clusterrole=${role}`, `--user=${user}`]);
    // Its exit status says the same.
    const canI = async (verb: string) => {
      const args = ["-n", "default", "auth", "can-i", verb, "kubearmorrelays.operator.kubearmor.com", `--as=${user}`];
      return await kubectl(args).then(
        (text) => text.trim(),
        () => "no",
      );
    };
    await eventually(`${may[0]} is allowed`, async () => ((await canI(may[0] ?? "")) === "yes" ? true : undefined));
    for (const verb of may) assert.equal(await canI(verb), "yes", verb);
    for (const verb of mayNot) assert.equal(await canI(verb), "no", verb);
    const elsewhere = ["-n", "kube-system", "auth", "can-i", "get", "kubearmorrelays", `--as=${user}`];
    await assert.rejects(kubectl(elsewhere), "only in that namespace");
  });
}
