import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { HOLD_ANNOTATION } from "../../hack/testbed/kwok.ts";
import { createKubeClient } from "../../lib/kube/client.ts";
import { loadCluster } from "../../lib/kube/credentials.ts";
import { startListWatch } from "../../lib/kube/list-watch.ts";
import {
  configMaps,
  deployments,
  events,
  namespaces,
  pods,
  serviceAccounts,
  services,
} from "../../lib/kube/resources.ts";
import { Store } from "../../lib/kube/store.ts";
import type { KubeObject, ObjectMeta, ObjectName, OwnerReference, Resource } from "../../lib/kube/types.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { relayResource } from "../../operator/api/relay.ts";
import { adoptAnnotation } from "../../operator/decide/adoption.ts";
import type { Operator } from "../../operator/operator.ts";
import {
  type Harness,
  type Spec,
  conditionOf,
  eventually,
  startHarness,
  untilCondition,
  untilIdle,
  writesOf,
} from "./operator-harness.ts";

let harness: Harness;
let operator: Operator;

before(async () => {
  harness = await startHarness();
  operator = await harness.start();
});

after(async () => {
  await operator[Symbol.asyncDispose]();
  await harness[Symbol.asyncDispose]();
});

const limit = { timeout: 90_000 };
const fixture = join(import.meta.dirname, "../fixtures/foreign-relay/objects.yaml");
const endpointSlices: Resource = {
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  namespaced: true,
};

const kinds: readonly (readonly [Resource, name: string])[] = [
  [serviceAccounts, "kubearmor-relay"],
  [services, "kubearmor"],
  [deployments, "kubearmor-relay"],
];

/** Creates objects as a program of this name does: by plain requests, under the name as field manager. */
async function createAs(program: string, objects: readonly KubeObject[]): Promise<void> {
  const cluster = loadCluster({ kubeconfig: harness.plane.kubeconfig });
  await using client = createKubeClient(cluster, { log: silentLog, userAgent: `${program}/v1` });
  for (const object of objects) {
    const [resource] = kinds.find(([{ kind }]) => kind === object.kind) ?? [];
    assert.ok(resource, object.kind);
    await client.create(resource, object);
  }
}

/** The fixture in a namespace, with these metadata added to each object. */
async function foreignObjects(
  namespace: string,
  metadata: Partial<KubeObject["metadata"]> = {},
): Promise<KubeObject[]> {
  const objects: KubeObject[] = [];
  for (const document of parseAllDocuments(await readFile(fixture, "utf8"))) {
    const object = document.toJS() as KubeObject;
    const labels = { ...metadata.labels, ...object.metadata.labels };
    objects.push({ ...object, metadata: { ...metadata, ...object.metadata, namespace, labels } });
  }
  return objects;
}

/** What KubeArmor's own operator runs in, and how it marks what it makes. */
async function createKubeArmorOperator(namespace: string, replicas: number): Promise<OwnerReference> {
  const labels = { "kubearmor-app": "kubearmor-operator" };
  const { metadata } = await harness.admin.create(deployments, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace, name: "kubearmor-operator", labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "operator", image: "operator" }] } },
    },
  });
  const { name, uid = "" } = metadata;
  return { apiVersion: "apps/v1", kind: "Deployment", name, uid, controller: true, blockOwnerDeletion: true };
}

const variants: Readonly<Record<string, readonly [(namespace: string) => Promise<void>, reason: string]>> = {
  "KubeArmor's own operator": [
    async (namespace) => {
      const owner = await createKubeArmorOperator(namespace, 0);
      await createAs("operator", await foreignObjects(namespace, { ownerReferences: [owner] }));
    },
    "Conflict",
  ],
  "a Helm release": [
    async (namespace) => {
      const annotations = { "meta.helm.sh/release-name": "kubearmor", "meta.helm.sh/release-namespace": namespace };
      const labels = { "app.kubernetes.io/managed-by": "Helm" };
      await createAs("helm", await foreignObjects(namespace, { annotations, labels }));
    },
    "NameConflict",
  ],
  "kubectl apply": [
    async (namespace) => {
      await harness.plane.kubectl(["-n", namespace, "apply", "-f", fixture]);
    },
    "NameConflict",
  ],
};

/** Without the harness's policy, which the pods of others do not meet. */
async function createNamespace(name: string): Promise<void> {
  await harness.admin.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
}

function adopt(at: ObjectName): Promise<unknown> {
  return harness.admin.mergePatch(relayResource, at, { metadata: { annotations: { [adoptAnnotation]: "true" } } });
}

async function fetchObject(resource: Resource, name: ObjectName): Promise<KubeObject> {
  const object = await harness.admin.get(resource, name);
  assert.ok(object, `${resource.kind} ${name.name} exists`);
  return object;
}

/** How many endpoints of the Service are ready, at every moment from now on. */
function watchEndpoints(namespace: string): AsyncDisposable & { readonly counts: readonly number[] } {
  const store = new Store({});
  const counts: number[] = [];
  const listWatch = startListWatch(
    {
      resource: endpointSlices,
      scope: { namespace, labelSelector: "kubernetes.io/service-name=kubearmor" },
      onChange: (change) => {
        store.apply(change);
        const ready = store.list().map((slice) => readyIn(slice));
        counts.push(ready.reduce((sum, each) => sum + each, 0));
      },
    },
    { client: harness.admin, clock: systemClock, random: Math.random, log: silentLog },
  );
  return { counts, [Symbol.asyncDispose]: () => listWatch[Symbol.asyncDispose]() };
}

function readyIn(slice: KubeObject): number {
  const endpoints = slice["endpoints"] as readonly { readonly conditions: { readonly ready?: boolean } }[] | undefined;
  return endpoints?.filter(({ conditions }) => conditions.ready === true).length ?? 0;
}

/** Somebody else's relay, and its Service leads to it. */
async function foreignRelay(namespace: string, create: (namespace: string) => Promise<void>): Promise<void> {
  await createNamespace(namespace);
  await create(namespace);
  await eventually("their Service leads to their pod", async () => {
    const slices = await harness.admin.list(endpointSlices, { namespace });
    return slices.some((slice) => readyIn(slice) > 0) ? true : undefined;
  });
}

async function refusedRelay(namespace: string, reason: string, spec: Spec = {}): Promise<Required<ObjectName>> {
  const at = { namespace, name: "kubearmor-relay" };
  await harness.createRelay(namespace, at.name, spec);
  const relay = await untilCondition(harness.admin, at, "Applied", "False", reason);
  assert.match(conditionOf(relay, "Stalled")?.message ?? "", /operator\.kubearmor\.com\/adopt=true/);
  return at;
}

interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>>; readonly annotations?: unknown };
  readonly spec: {
    readonly containers: readonly [{ readonly env: readonly { readonly name: string }[] }];
  };
}

function templateOf(deployment: KubeObject): PodTemplate {
  return (deployment["spec"] as { readonly template: PodTemplate }).template;
}

for (const [index, [who, [create, reason]]] of Object.entries(variants).entries()) {
  test(
    `adoption of what ${who} made: refused without the annotation, and then without a moment without endpoints`,
    limit,
    async () => {
      const namespace = `adopt-${index}`;
      await foreignRelay(namespace, create);
      const theirs = await Promise.all(kinds.map(([resource, name]) => fetchObject(resource, { namespace, name })));
      const at = await refusedRelay(namespace, reason);
      await untilIdle(operator);
      for (const [kind, [resource, name]] of kinds.entries()) {
        const { metadata } = await fetchObject(resource, { namespace, name });
        const found = theirs[kind];
        assert.deepEqual(writersOf(metadata), writersOf(found?.metadata), "nothing is written");
      }
      await using endpoints = watchEndpoints(namespace);
      await eventually("the watch has begun", () => Promise.resolve(endpoints.counts.length > 0 ? true : undefined));
      await adopt(at);
      await untilCondition(harness.admin, at, "Ready", "True");
      await untilIdle(operator);
      assert.ok(Math.min(...endpoints.counts) > 0, `ready endpoints over time: ${endpoints.counts.join(" ")}`);
      assert.ok(endpoints.counts.length > 1);
      for (const [kind, [resource, name]] of kinds.entries())
        await assertOurs(resource, { namespace, name }, theirs[kind]);
      const template = templateOf(await fetchObject(deployments, at));
      assert.deepEqual(
        template.spec.containers[0].env.map((variable) => variable.name).filter((name) => /ES_|DASHBOARDS/.test(name)),
        [],
      );
      assert.equal(template.metadata.annotations, undefined);
      await assertSettled(namespace);
      await harness.admin.delete(relayResource, at, { propagationPolicy: "Background" });
      for (const [resource, name] of kinds)
        await eventually(`${resource.kind} ${name} is gone`, async () =>
          (await harness.admin.get(resource, { namespace, name })) === undefined ? true : undefined,
        );
    },
  );
}

/** Who wrote what into it, but for reports in its status. */
function writersOf(metadata: ObjectMeta | undefined): unknown {
  return metadata?.managedFields?.filter(({ subresource }) => subresource !== "status");
}

/** The very object, with nothing left of those who made it. */
async function assertOurs(resource: Resource, name: ObjectName, earlier: KubeObject | undefined): Promise<void> {
  const { metadata } = await fetchObject(resource, name);
  assert.equal(metadata.uid, earlier?.metadata.uid);
  const managers = new Set(metadata.managedFields?.map(({ manager }) => manager));
  managers.delete("kube-controller-manager");
  assert.deepEqual([...managers], ["kubearmor-relay-operator"]);
  assert.deepEqual(
    metadata.ownerReferences?.map(({ kind }) => kind),
    ["KubeArmorRelay"],
  );
  const left = Object.keys(metadata.annotations ?? {}).filter((key) => key !== "deployment.kubernetes.io/revision");
  assert.deepEqual(left, []);
  assert.equal(metadata.labels?.["app.kubernetes.io/managed-by"], "kubearmor-relay-operator");
}

/** A new process finds nothing to do. */
async function assertSettled(namespace: string): Promise<void> {
  const written = async () => writesOf(await harness.requests()).filter(({ uri }) => uri.includes(`/${namespace}/`));
  await operator[Symbol.asyncDispose]();
  const earlier = (await written()).length;
  operator = await harness.start();
  await untilIdle(operator);
  assert.deepEqual((await written()).slice(earlier), []);
}

test("adoption: what their pods need is not touched before ours serve, and the condition says so", limit, async () => {
  const namespace = "adopt-slowly";
  await foreignRelay(namespace, async () => await createAs("operator", await foreignObjects(namespace)));
  const service = { namespace, name: "kubearmor" };
  const { metadata } = await fetchObject(services, service);
  const account = await fetchObject(serviceAccounts, { namespace, name: "kubearmor-relay" });
  const at = await refusedRelay(namespace, "NameConflict", { podAnnotations: { [HOLD_ANNOTATION]: "" } });
  await using endpoints = watchEndpoints(namespace);
  await adopt(at);
  const relay = await untilCondition(harness.admin, at, "Applied", "False", "Adopting");
  assert.match(
    conditionOf(relay, "Reconciling")?.message ?? "",
    /: ServiceAccount kubearmor-relay, Service kubearmor$/,
  );
  const held = await eventually("our pod is there", async () => {
    const all = await harness.admin.list(pods, { namespace, labelSelector: "operator.kubearmor.com/relay" });
    return all[0];
  });
  await untilIdle(operator);
  assert.equal((await fetchObject(services, service)).metadata.resourceVersion, metadata.resourceVersion);
  assert.deepEqual(await fetchObject(serviceAccounts, at), account);
  await harness.admin.mergePatch(pods, held.metadata, { metadata: { annotations: { [HOLD_ANNOTATION]: null } } });
  await untilCondition(harness.admin, at, "Ready", "True");
  const { selector } = (await fetchObject(services, service))["spec"] as { selector: Readonly<Record<string, string>> };
  assert.equal(selector["operator.kubearmor.com/relay"], at.name);
  await eventually("the old pod is gone", async () =>
    (await harness.admin.list(pods, { namespace })).length === 1 ? true : undefined,
  );
  assert.ok(Math.min(...endpoints.counts) > 0, `ready endpoints over time: ${endpoints.counts.join(" ")}`);
  await eventually("Events tell of it", async () => {
    const notes = new Set((await harness.admin.list(events, { namespace })).map(({ note }) => note));
    const isTold = kinds.every(([{ kind }, name]) =>
      notes.has(
        `Took over ${kind} ${name}, which was written by ${kind === "ServiceAccount" ? "somebody" : "operator"}`,
      ),
    );
    return isTold ? true : undefined;
  });
});

/** What says to tools that they may not delete the object, however it came to be nobody's business of theirs. */
const kept = {
  "helm.sh/resource-policy": "keep",
  "kustomize.toolkit.fluxcd.io/prune": "disabled",
  "argocd.argoproj.io/sync-options": "Prune=false",
};

test(
  "adoption keeps what tells Helm, Flux and Argo CD to leave the object alone, and nothing else",
  limit,
  async () => {
    const namespace = "adopt-kept";
    const annotations = { "meta.helm.sh/release-name": "kubearmor" };
    await foreignRelay(namespace, async () => await createAs("helm", await foreignObjects(namespace, { annotations })));
    for (const [resource, name] of kinds)
      await harness.admin.mergePatch(resource, { namespace, name }, { metadata: { annotations: kept } });
    const at = await refusedRelay(namespace, "NameConflict");
    await adopt(at);
    await untilCondition(harness.admin, at, "Ready", "True");
    for (const [resource, name] of kinds) {
      const { "deployment.kubernetes.io/revision": _revision, ...left } =
        (await fetchObject(resource, { namespace, name })).metadata.annotations ?? {};
      assert.deepEqual(left, kept, resource.kind);
    }
    await assertSettled(namespace);
  },
);

test("adoption of objects whose record of who wrote them somebody cleared", limit, async () => {
  const namespace = "adopt-cleared";
  await foreignRelay(namespace, async () => await createAs("operator", await foreignObjects(namespace)));
  const theirs = [];
  for (const [resource, name] of kinds)
    theirs.push(await harness.admin.mergePatch(resource, { namespace, name }, { metadata: { managedFields: [{}] } }));
  const at = await refusedRelay(namespace, "NameConflict");
  await adopt(at);
  await untilCondition(harness.admin, at, "Ready", "True");
  for (const [kind, [resource, name]] of kinds.entries()) await assertOurs(resource, { namespace, name }, theirs[kind]);
  const { env } = templateOf(await fetchObject(deployments, at)).spec.containers[0];
  assert.ok(!env.some(({ name }) => name === "ES_PASSWORD"));
  await assertSettled(namespace);
});

test(
  "adoption that is refused half-way leaves theirs as it was, and is undone by taking the annotation off",
  limit,
  async () => {
    const namespace = "adopt-half";
    await foreignRelay(namespace, async () => await createAs("operator", await foreignObjects(namespace)));
    const name = { namespace, name: "kubearmor-relay" };
    const account = await fetchObject(serviceAccounts, name);
    const mount = { name: "none", mountPath: "/none" };
    const containers = [{ name: "kubearmor-relay-server", volumeMounts: [mount] }];
    const at = await refusedRelay(namespace, "NameConflict", { podTemplate: { spec: { containers } } });
    await adopt(at);
    await untilCondition(harness.admin, at, "Applied", "False", "Rejected");
    await harness.admin.mergePatch(relayResource, at, {
      metadata: { annotations: { [adoptAnnotation]: null } },
      spec: { podTemplate: null },
    });
    await untilCondition(harness.admin, at, "Applied", "False", "NameConflict");
    await untilIdle(operator);
    const { metadata } = await fetchObject(deployments, name);
    assert.deepEqual([metadata.ownerReferences, metadata.labels], [undefined, { "kubearmor-app": "kubearmor-relay" }]);
    assert.deepEqual(await fetchObject(serviceAccounts, name), account);
    await harness.admin.delete(relayResource, at, { propagationPolicy: "Background" });
    await eventually("the relay is gone", async () =>
      (await harness.admin.get(relayResource, at)) === undefined ? true : undefined,
    );
    await adopt(await refusedRelay(namespace, "NameConflict"));
    await untilCondition(harness.admin, at, "Ready", "True");
  },
);

test("adoption takes nothing that is no relay's, and the relay's deletion nothing either", limit, async () => {
  const namespace = "adopt-unrelated";
  await createNamespace(namespace);
  const labels = { app: "web" };
  const at = { namespace, name: "web" };
  const containers = [{ name: "nginx", image: "nginx" }];
  const template = { metadata: { labels }, spec: { containers } };
  const unrelated: readonly (readonly [Resource, KubeObject])[] = [
    [configMaps, { apiVersion: "v1", kind: "ConfigMap", metadata: at, data: { "index.html": "precious" } }],
    [serviceAccounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: at }],
    [
      services,
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { namespace, name: "postgres" },
        spec: { selector: { app: "postgres" }, ports: [{ port: 5432 }] },
      },
    ],
    [
      deployments,
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: at,
        spec: { replicas: 0, selector: { matchLabels: labels }, template },
      },
    ],
  ];
  for (const [resource, object] of unrelated) await harness.admin.create(resource, object);
  await harness.createRelay(namespace, at.name, { service: { name: "postgres" } });
  await adopt(at);
  const reasons = [
    "ServiceAccount web: no relay that could be taken over runs under it",
    "ConfigMap web: only a Deployment, a Service and a ServiceAccount can be",
    "Service postgres: it does not lead to a relay's pods",
    "Deployment web: its pods are no relay's",
  ];
  // Before the annotation is seen, only the Deployment is looked at.
  await eventually("the condition says why of each", async () => {
    const applied = conditionOf(await harness.admin.get(relayResource, at), "Applied");
    const isSo = applied?.reason === "NameConflict" && reasons.every((why) => applied.message.includes(why));
    return isSo ? true : undefined;
  });
  await untilIdle(operator);
  await harness.admin.delete(relayResource, at, { propagationPolicy: "Background" });
  await eventually("the relay is gone", async () =>
    (await harness.admin.get(relayResource, at)) === undefined ? true : undefined,
  );
  for (const [resource, { metadata, ...content }] of unrelated) {
    const left = await fetchObject(resource, metadata);
    assert.equal(left.metadata.ownerReferences, undefined);
    const managers = left.metadata.managedFields?.map(({ manager }) => manager) ?? [];
    assert.ok(!managers.includes("kubearmor-relay-operator"), resource.kind);
    assert.deepEqual(left["data"], content["data"]);
  }
});

const patches: Readonly<
  Record<string, readonly [change: (deployment: KubeObject, tower: ObjectMeta) => KubeObject, message: RegExp]>
> = {
  "another controller controls it": [
    (deployment, { name, uid = "" }) => {
      const owner = { apiVersion: "v1", kind: "ConfigMap", name, uid, controller: true };
      return { ...deployment, metadata: { ...deployment.metadata, ownerReferences: [owner] } };
    },
    /ConfigMap tower controls it/,
  ],
  "its selector asks for what our pods cannot have": [
    (deployment) => withSelector(deployment, { "operator.kubearmor.com/relay": "x" }, []),
    /its selector, which cannot be changed, asks for operator\.kubearmor\.com\/relay=x/,
  ],
  "its pods are no relay's": [
    (deployment) => withSelector(deployment, { "kubearmor-app": "other" }, []),
    /ServiceAccount kubearmor-relay: no relay .*; Deployment kubearmor-relay: its pods are no relay's\)/,
  ],
  "somebody else owns it, too": [
    (deployment, { name, uid = "" }) => {
      const owner = { apiVersion: "v1", kind: "ConfigMap", name, uid };
      return { ...deployment, metadata: { ...deployment.metadata, ownerReferences: [owner] } };
    },
    /ConfigMap tower owns it/,
  ],
  "its selector has an expression that our pods do not meet": [
    (deployment) => withSelector(deployment, {}, [{ key: "operator.kubearmor.com/relay", operator: "DoesNotExist" }]),
    /asks for !operator\.kubearmor\.com\/relay/,
  ],
};

function withSelector(deployment: KubeObject, matchLabels: object, matchExpressions: readonly object[]): KubeObject {
  const template = {
    ...templateOf(deployment),
    metadata: { labels: { a: "b", "kubearmor-app": "kubearmor-relay", ...matchLabels } },
  };
  const spec = {
    ...(deployment["spec"] as object),
    selector: { matchLabels, matchExpressions },
    template,
    replicas: 0,
  };
  return { ...deployment, spec };
}

for (const [index, [sentence, [change, message]]] of Object.entries(patches).entries()) {
  test(`adoption is refused when ${sentence}`, limit, async () => {
    const namespace = `adopt-refused-${index}`;
    await createNamespace(namespace);
    const objects = await foreignObjects(namespace);
    // The garbage collector deletes what belongs to nobody who exists.
    const tower = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name: "tower" } };
    const { metadata: owner } = await harness.admin.create(configMaps, tower);
    await createAs(
      "operator",
      objects.map((object) => (object.kind === "Deployment" ? change(object, owner) : object)),
    );
    const at = { namespace, name: "kubearmor-relay" };
    await harness.createRelay(namespace, at.name, {});
    await adopt(at);
    const relay = await eventually("the condition says why", async () => {
      const found = await harness.admin.get(relayResource, at);
      return message.test(conditionOf(found, "Applied")?.message ?? "") ? found : undefined;
    });
    assert.equal(conditionOf(relay, "Stalled")?.reason, "NameConflict");
    for (const [resource, name] of kinds) {
      const { metadata } = await fetchObject(resource, { namespace, name });
      const managers = metadata.managedFields?.map(({ manager }) => manager) ?? [];
      assert.ok(!managers.includes("kubearmor-relay-operator"), name);
    }
  });
}

test("adoption keeps a selector that asks for more labels than ours, and its rollouts go on", limit, async () => {
  const namespace = "adopt-selector";
  await createNamespace(namespace);
  const more = { "app.kubernetes.io/name": "their-relay", tier: "security" };
  const objects = await foreignObjects(namespace);
  await createAs(
    "operator",
    objects.map((object) => (object.kind === "Deployment" ? withSelector(object, more, []) : object)),
  );
  const at = await refusedRelay(namespace, "NameConflict", { podLabels: { tier: "mine", b: "c" } });
  const { metadata } = await fetchObject(deployments, at);
  await adopt(at);
  await untilCondition(harness.admin, at, "Ready", "True");
  await harness.admin.mergePatch(relayResource, at, { spec: { image: "localhost/new:2" } });
  await untilCondition(harness.admin, at, "Ready", "True");
  const deployment = await fetchObject(deployments, at);
  assert.equal(deployment.metadata.uid, metadata.uid);
  assert.deepEqual((deployment["spec"] as { selector: unknown }).selector, { matchLabels: more });
  const { labels } = templateOf(deployment).metadata;
  assert.equal(labels["kubearmor-app"], "kubearmor-relay");
  assert.equal(labels["tier"], "security");
  assert.equal(labels["b"], "c");
  await assertSettled(namespace);
});

test(
  "adoption from KubeArmorOperator, which still runs and writes what it wants: the condition names it, and no storm",
  limit,
  async () => {
    const namespace = "adopt-beside";
    await foreignRelay(namespace, async () => {
      const owner = await createKubeArmorOperator(namespace, 1);
      await createAs("operator", await foreignObjects(namespace, { ownerReferences: [owner] }));
    });
    const at = await refusedRelay(namespace, "Conflict");
    await adopt(at);
    await untilCondition(harness.admin, at, "Ready", "True");
    const cluster = loadCluster({ kubeconfig: harness.plane.kubeconfig });
    await using theirs = createKubeClient(cluster, { log: silentLog, userAgent: "operator/v1" });
    const applies = async () =>
      writesOf(await harness.requests()).filter(({ uri }) => uri.includes(`/${namespace}/deployments/`)).length;
    const earlier = await applies();
    let rounds = 0;
    // As its repair of TLS, which looks every 10 s whether the first argument is there; here it does not rest.
    const relay = await eventually("the condition tells", async () => {
      const path = "/spec/template/spec/containers/0/args/0";
      await theirs.jsonPatch(deployments, at, [{ op: "replace", path, value: "-tlsEnabled=true" }]);
      rounds += 1;
      const found = await harness.admin.get(relayResource, at);
      return conditionOf(found, "Contended")?.status === "True" ? found : undefined;
    });
    assert.match(
      conditionOf(relay, "Contended")?.message ?? "",
      /args by operator .*scale its Deployment kubearmor-operator to 0/,
    );
    for (let round = 0; round < 20; round += 1) {
      const path = "/spec/template/spec/containers/0/args/0";
      await theirs.jsonPatch(deployments, at, [{ op: "replace", path, value: `-tlsEnabled=${round % 2 === 0}` }]);
      rounds += 1;
    }
    const repairs = (await applies()) - earlier;
    assert.ok(repairs >= 4 && repairs <= Math.max(8, rounds / 2), `${repairs} repairs in ${rounds} rounds`);
    const { metadata } = await fetchObject(deployments, at);
    assert.deepEqual(
      metadata.ownerReferences?.map(({ kind }) => kind),
      ["KubeArmorRelay"],
    );
  },
);
