import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse, stringify } from "yaml";
import { type ControlPlane, startControlPlane } from "../../hack/testbed/control-plane.ts";
import { createKubeClient } from "../../lib/kube/client.ts";
import { loadCluster } from "../../lib/kube/credentials.ts";
import { isAlreadyExists, isConflict, isForbidden, isInvalid, isNamespaceTerminating } from "../../lib/kube/errors.ts";
import { clusterRoles, configMaps, deployments, namespaces, services } from "../../lib/kube/resources.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import { type LogFields, silentLog } from "../../lib/process/log.ts";
import { type Client, clusterOf, configMap, connectTo, portOf, startGate } from "./kube-harness.ts";

let plane: ControlPlane;
let client: Client;

before(async () => {
  plane = await startControlPlane();
  client = connectTo(await clusterOf(plane.kubeconfig));
});

after(async () => {
  await client[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

const inDefault = (name: string) => ({ namespace: "default", name });

test("KubeClient creates, reads, replaces, patches and deletes", async () => {
  const created = await client.create(configMaps, configMap("crud", { a: "1" }));
  await assert.rejects(client.create(configMaps, configMap("crud")), isAlreadyExists);
  assert.deepEqual((await client.get(configMaps, inDefault("crud")))?.["data"], { a: "1" });
  const replaced = await client.replace(configMaps, { ...created, data: { a: "2" } });
  await assert.rejects(client.replace(configMaps, { ...created, data: { a: "3" } }), isConflict);
  const merged = await client.mergePatch(configMaps, inDefault("crud"), { data: { a: null, b: "1" } });
  assert.deepEqual(merged["data"], { b: "1" });
  const path = "/metadata/resourceVersion";
  const stale = [{ op: "test", path, value: replaced.metadata.resourceVersion }];
  await assert.rejects(client.jsonPatch(configMaps, inDefault("crud"), stale), isInvalid);
  const patch = [
    { op: "test", path, value: merged.metadata.resourceVersion },
    { op: "add", path: "/data/c", value: "2" },
  ];
  assert.deepEqual((await client.jsonPatch(configMaps, inDefault("crud"), patch))["data"], { b: "1", c: "2" });
  await assert.rejects(client.delete(configMaps, inDefault("crud"), { uid: "another" }), isConflict);
  assert.equal(await client.delete(configMaps, inDefault("crud"), { uid: created.metadata.uid ?? "" }), true);
  assert.equal(await client.delete(configMaps, inDefault("crud")), false);
  assert.equal(await client.get(configMaps, inDefault("crud")), undefined);
});

test("KubeClient is to the server all of whom its kubeconfig plays", async () => {
  const config = parse(await readFile(plane.kubeconfig, "utf8")) as { users: { user: object }[] };
  const played = {
    as: "jane",
    "as-uid": "7",
    "as-groups": ["dev", "a,b"],
    "as-user-extra": { "acme.com/Pro%ject": ["x", "y"] },
  };
  const users = config.users.map((each) => ({ ...each, user: { ...each.user, ...played } }));
  const kubeconfig = join(plane.dir, "played.kubeconfig");
  await writeFile(kubeconfig, stringify({ ...config, users }));
  await using jane = connectTo(loadCluster({ kubeconfig }));
  const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  const answer = await jane.raw("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review);
  assert.deepEqual((answer as { readonly status: object }).status, {
    userInfo: {
      username: "jane",
      uid: "7",
      groups: ["dev", "a,b", "system:authenticated"],
      extra: { "acme.com/pro%ject": ["x", "y"] },
    },
  });
});

test("KubeClient keeps the letter case and the colon of a name", async () => {
  const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", rules: [] };
  for (const name of ["system:Foo", "system:foo"]) await client.create(clusterRoles, { ...role, metadata: { name } });
  await client.delete(clusterRoles, { name: "system:Foo" });
  assert.equal(await client.get(clusterRoles, { name: "system:Foo" }), undefined);
  assert.equal((await client.get(clusterRoles, { name: "system:foo" }))?.metadata.name, "system:foo");
});

test("KubeClient.apply() changes nothing the second time, and takes a field of another manager only by force", async () => {
  const mine = { fieldManager: "mine", force: false };
  const first = await client.apply(configMaps, configMap("applied", { a: "1" }), mine);
  const again = await client.apply(configMaps, configMap("applied", { a: "1" }), mine);
  assert.equal(again.metadata.resourceVersion, first.metadata.resourceVersion);
  const theirs = { fieldManager: "theirs", force: false };
  await assert.rejects(client.apply(configMaps, configMap("applied", { a: "2" }), theirs), (error) => {
    assert.ok(isConflict(error));
    assert.deepEqual(
      error.details.causes?.map((cause) => cause.field),
      [".data.a"],
    );
    return true;
  });
  const forced = await client.apply(configMaps, configMap("applied", { a: "2" }), { ...theirs, force: true });
  assert.deepEqual(forced["data"], { a: "2" });
});

test("KubeClient.apply() to a subresource leaves the rest alone", async () => {
  const namespace = await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "sub" } });
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: namespace.metadata.name, name: "s" },
    spec: { type: "LoadBalancer", ports: [{ port: 1, protocol: "TCP" }] },
  };
  await client.apply(services, service, { fieldManager: "mine", force: false });
  const status = { loadBalancer: { ingress: [{ hostname: "x" }] } };
  const applied = await client.apply(
    services,
    { apiVersion: "v1", kind: "Service", metadata: service.metadata, status },
    { fieldManager: "mine-status", force: false, subresource: "status" },
  );
  assert.deepEqual((applied["status"] as typeof status).loadBalancer.ingress[0]?.hostname, "x");
  assert.deepEqual((applied["spec"] as typeof service.spec).ports[0]?.port, 1);
});

function deployment(name: string, app: string, podSpec: object = {}): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: inDefault(name),
    spec: {
      replicas: 0,
      selector: { matchLabels: { app } },
      template: { metadata: { labels: { app } }, spec: { containers: [{ name: "c", image: "i" }], ...podSpec } },
    },
  };
}

test("KubeClient.apply() logs what the server warns of", async () => {
  const warnings: unknown[] = [];
  const log = { ...silentLog, warn: (_: string, fields?: LogFields) => warnings.push(fields?.["warning"]) };
  await using loud = createKubeClient(await clusterOf(plane.kubeconfig), { log, userAgent: "kube-test/0" });
  const deprecated = deployment("warned", "a", { nodeSelector: { "beta.kubernetes.io/os": "linux" } });
  await loud.apply(deployments, deprecated, { fieldManager: "mine", force: false });
  assert.equal(warnings.length, 1);
  assert.match(String(warnings[0]), /beta\.kubernetes\.io\/os.* deprecated/);
});

test("KubeClient.apply() carries the causes of what the server refuses", async () => {
  const mine = { fieldManager: "mine", force: true };
  await client.apply(deployments, deployment("immutable", "one"), mine);
  await assert.rejects(client.apply(deployments, deployment("immutable", "two"), mine), (error) => {
    assert.ok(isInvalid(error));
    assert.deepEqual(
      error.details.causes?.map((cause) => cause.field),
      ["spec.selector"],
    );
    return true;
  });
});

test("isInvalid() holds for what server-side apply answers with 500", async () => {
  const mine = { fieldManager: "mine", force: true };
  const twice = [{ name: "c", image: "i", env: [{ name: "A" }, { name: "A" }] }];
  await assert.rejects(client.apply(deployments, deployment("twice", "a", { containers: twice }), mine), isInvalid);
  await assert.rejects(client.apply(deployments, deployment("odd", "a", { unknownField: 1 }), mine), isInvalid);
});

test("KubeClient.list() reads more than one page, of a selection", async () => {
  const names = Array.from({ length: 620 }, (_, index) => `page-${index}`);
  await Promise.all(
    names.map((name) => {
      const object = configMap(name);
      return client.create(configMaps, { ...object, metadata: { ...object.metadata, labels: { paged: "yes" } } });
    }),
  );
  const found = await client.list(configMaps, { namespace: "default", labelSelector: "paged=yes" });
  assert.deepEqual(new Set(found.map((object) => object.metadata.name)), new Set(names));
  assert.ok(found.every((object) => object.kind === "ConfigMap" && object.apiVersion === "v1"));
  const one = await client.list(configMaps, { fieldSelector: "metadata.name=page-7" });
  assert.equal(one.length, 1);
});

test("KubeClient sends 200 requests at once over at most eight connections", async () => {
  const cluster = await clusterOf(plane.kubeconfig);
  await using gate = await startGate(portOf(cluster));
  await using through = connectTo(gate.through(cluster));
  await Promise.all(Array.from({ length: 200 }, () => through.list(configMaps, { namespace: "kube-system" })));
  assert.ok(gate.connections.opened <= 8, String(gate.connections.opened));
});

test("KubeClient tells a refusal by RBAC from a namespace that is going away", async () => {
  await using stranger = connectTo(await clusterOf(plane.kubeconfig, "stranger"));
  await assert.rejects(stranger.list(configMaps, {}), (error) => {
    assert.ok(isForbidden(error));
    assert.equal(isNamespaceTerminating(error), false);
    return true;
  });
  const metadata = { name: "leaving" };
  await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata });
  const held = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "leaving", name: "x", finalizers: ["a.b/c"] },
  };
  await client.create(configMaps, held);
  await client.delete(namespaces, metadata);
  await assert.rejects(
    client.create(configMaps, { ...held, metadata: { namespace: "leaving", name: "y" } }),
    isNamespaceTerminating,
  );
  await client.mergePatch(configMaps, { namespace: "leaving", name: "x" }, { metadata: { finalizers: null } });
});

test("KubeClient.raw() asks what is outside of the resource model", async () => {
  const version = (await client.raw("GET", "/version")) as { gitVersion: string };
  assert.match(version.gitVersion, /^v1\./);
  const review = (await client.raw("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: { verb: "list", resource: "pods" } },
  })) as { status: { allowed: boolean } };
  assert.equal(review.status.allowed, true);
});
