import assert from "node:assert/strict";
import { test } from "node:test";
import { collectionPath, objectPath, queryString } from "./paths.ts";
import { clusterRoles, deployments, pods } from "./resources.ts";
import type { Resource } from "./types.ts";

const relays: Resource = {
  group: "operator.kubearmor.com",
  version: "v1alpha1",
  kind: "KubeArmorRelay",
  plural: "kubearmorrelays",
  namespaced: true,
};

const paths: Readonly<Record<string, readonly [string, string]>> = {
  "all objects of a core kind": [collectionPath(pods), "/api/v1/pods"],
  "a core kind in a namespace": [collectionPath(pods, "a"), "/api/v1/namespaces/a/pods"],
  "a kind of a group": [collectionPath(deployments, "a"), "/apis/apps/v1/namespaces/a/deployments"],
  "an object of a custom kind": [
    objectPath(relays, { namespace: "a", name: "b" }),
    "/apis/operator.kubearmor.com/v1alpha1/namespaces/a/kubearmorrelays/b",
  ],
  "a subresource": [
    objectPath(deployments, { namespace: "a", name: "b" }, "scale"),
    "/apis/apps/v1/namespaces/a/deployments/b/scale",
  ],
  "a cluster-scoped name, its letter case kept and its colon encoded": [
    objectPath(clusterRoles, { name: "system:Foo" }),
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3AFoo",
  ],
  "a cluster-scoped object whose metadata has a namespace": [
    objectPath(clusterRoles, { namespace: "a", name: "b" }),
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/b",
  ],
};

for (const [sentence, [actual, expected]] of Object.entries(paths)) {
  test(`objectPath() and collectionPath() build the path of ${sentence}`, () => assert.equal(actual, expected));
}

test("objectPath() throws without the namespace of a namespaced kind", () => {
  assert.throws(() => objectPath(pods, { name: "a" }), /its kind needs a namespace/);
});

test("objectPath() throws for names that a path would resolve to something else", () => {
  for (const name of ["", ".", ".."]) assert.throws(() => objectPath(pods, { namespace: "a", name }), TypeError, name);
});

test("objectPath() keeps a slash in a name out of the path", () => {
  assert.equal(objectPath(pods, { namespace: "a", name: "b/c" }), "/api/v1/namespaces/a/pods/b%2Fc");
});

test("collectionPath() throws for a namespace of a cluster-scoped kind", () => {
  assert.throws(() => collectionPath(clusterRoles, "a"), /cluster-scoped/);
});

test("queryString() leaves out what is undefined and encodes the rest", () => {
  assert.equal(queryString({ a: undefined }), "");
  assert.equal(
    queryString({ labelSelector: "a=b,c", limit: 5, watch: true }),
    "?labelSelector=a%3Db%2Cc&limit=5&watch=true",
  );
});
