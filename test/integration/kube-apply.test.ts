import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { type ControlPlane, startControlPlane } from "../../hack/testbed/control-plane.ts";
import { applyDifferences } from "../../lib/kube/apply.ts";
import { configMaps, deployments, roleBindings, roles, serviceAccounts, services } from "../../lib/kube/resources.ts";
import type { KubeObject, ManagedFieldsEntry, Resource } from "../../lib/kube/types.ts";
import { type Client, clusterOf, connectTo } from "./kube-harness.ts";

const manager = "relay-operator";
const mine = { fieldManager: manager, force: true };

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

function inDefault(apiVersion: string, kind: string, name: string, fields: object, metadata: object = {}): KubeObject {
  return { apiVersion, kind, metadata: { namespace: "default", name, ...metadata }, ...fields };
}

const labels = { app: "relay" };
const owner = {
  apiVersion: "v1",
  kind: "ConfigMap",
  name: "owner",
  uid: "0-0",
  controller: true,
  blockOwnerDeletion: true,
};
const rbac = "rbac.authorization.k8s.io";

function deployment(name: string, podSpec: object, container: object, spec: object = {}): KubeObject {
  const containers = [{ name: "relay", image: "localhost/relay:1", ...container }];
  return inDefault("apps/v1", "Deployment", name, {
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers, ...podSpec } },
      ...spec,
    },
  });
}

const objects: Readonly<Record<string, readonly [Resource, KubeObject]>> = {
  "a ConfigMap with an owner and a finalizer": [
    configMaps,
    inDefault(
      "v1",
      "ConfigMap",
      "whole",
      { data: { a: "1", empty: "" } },
      { labels, ownerReferences: [owner], finalizers: ["a.b/c"] },
    ),
  ],
  "a Service with two ports": [
    services,
    inDefault("v1", "Service", "whole", {
      spec: {
        type: "ClusterIP",
        selector: labels,
        ipFamilyPolicy: "PreferDualStack",
        ports: [
          { name: "grpc", port: 32767, protocol: "TCP", targetPort: "grpc" },
          { name: "grpc-udp", port: 32767, protocol: "UDP", targetPort: 32767 },
        ],
      },
    }),
  ],
  "a ServiceAccount": [
    serviceAccounts,
    inDefault("v1", "ServiceAccount", "whole", {
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: "x" }],
    }),
  ],
  "a Role": [
    roles,
    inDefault(`${rbac}/v1`, "Role", "whole", {
      rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }],
    }),
  ],
  "a RoleBinding": [
    roleBindings,
    inDefault(`${rbac}/v1`, "RoleBinding", "whole", {
      roleRef: { apiGroup: rbac, kind: "Role", name: "whole" },
      subjects: [{ kind: "ServiceAccount", name: "whole", namespace: "default" }],
    }),
  ],
  "a Deployment with all sorts of lists": [
    deployments,
    deployment(
      "whole",
      {
        automountServiceAccountToken: false,
        hostNetwork: false,
        nodeSelector: { disk: "ssd" },
        tolerations: [{ key: "k", operator: "Exists", effect: "NoSchedule" }],
        imagePullSecrets: [{ name: "x" }],
        securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
        terminationGracePeriodSeconds: 30,
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: "zone",
            whenUnsatisfiable: "ScheduleAnyway",
            labelSelector: { matchLabels: labels },
          },
        ],
        volumes: [
          { name: "tmp", emptyDir: { sizeLimit: "1024Ki" } },
          { name: "tls", secret: { secretName: "tls", optional: true, defaultMode: 420 } },
        ],
      },
      {
        args: ["-gRPCPort", "32767"],
        env: [
          { name: "B", value: "" },
          { name: "A", value: "x" },
          { name: "IP", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "status.podIP" } } },
          { name: "STDOUT", valueFrom: { configMapKeyRef: { name: "whole", key: "a", optional: true } } },
        ],
        ports: [
          { name: "grpc", containerPort: 32767, protocol: "TCP" },
          { name: "http", containerPort: 8080, protocol: "TCP" },
        ],
        resources: { limits: { cpu: "1000m", memory: "128Mi" }, requests: { cpu: 0.5 } },
        securityContext: { capabilities: { drop: ["ALL"] }, readOnlyRootFilesystem: true },
        readinessProbe: { httpGet: { path: "/readyz", port: "http" } },
        volumeMounts: [{ name: "tmp", mountPath: "/tmp", readOnly: false }],
      },
      { strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } },
    ),
  ],
};

for (const [sentence, [resource, object]] of Object.entries(objects)) {
  test(`applyDifferences() knows ${sentence} again`, async () => {
    const applied = await client.apply(resource, object, mine);
    assert.deepEqual(applyDifferences(applied, object, manager), []);
    const again = await client.apply(resource, object, mine);
    // Not by the version: kube-controller-manager writes the status meanwhile.
    assert.deepEqual(entryOf(again), entryOf(applied));
    assert.equal(again.metadata.generation, applied.metadata.generation);
    // Others may add what is theirs.
    const theirs = { metadata: { annotations: { theirs: "x" }, labels: { theirs: "x" } } };
    const annotated = await client.mergePatch(resource, object.metadata, theirs);
    assert.deepEqual(applyDifferences(annotated, object, manager), []);
    // Removes the finalizer, which is ours.
    const bare = await client.mergePatch(
      resource,
      { namespace: "default", name: "whole" },
      { metadata: { finalizers: null } },
    );
    const isSame = applyDifferences(bare, object, manager).length === 0;
    assert.equal(isSame, object.metadata.finalizers === undefined);
  });
}

test("applyDifferences() names what another manager changed, removed or took", async () => {
  const object = deployment("drifted", {}, { env: [{ name: "A", value: "1" }], args: ["x"] });
  await client.apply(deployments, object, mine);
  const edited = deployment(
    "drifted",
    {},
    { image: "localhost/other:1", env: [{ name: "A", value: "2" }], args: ["x"] },
  );
  const live = await client.apply(deployments, edited, { fieldManager: "other", force: true });
  assert.deepEqual(
    applyDifferences(live, object, manager).map(({ path }) => path),
    [
      '.spec.template.spec.containers[name="relay"].image',
      '.spec.template.spec.containers[name="relay"].env[name="A"].value',
    ],
  );
  const repaired = await client.apply(deployments, object, mine);
  assert.deepEqual(applyDifferences(repaired, object, manager), []);
});

const word = fc.constantFrom("", "1", "x", "long text");
const names = fc.constantFrom("A", "B", "C", "D");
const podSpec = fc.record(
  {
    nodeSelector: fc.dictionary(names, fc.constantFrom("x", "y"), { maxKeys: 2, noNullPrototype: true }),
    tolerations: fc.array(fc.record({ key: names, operator: fc.constant("Exists") }, { noNullPrototype: true }), {
      maxLength: 2,
    }),
    imagePullSecrets: fc
      .uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 3 })
      .map((secrets) => secrets.map((name) => ({ name }))),
    hostNetwork: fc.constant(false),
    priorityClassName: fc.constantFrom("", "system-node-critical"),
    securityContext: fc.record({ runAsNonRoot: fc.boolean() }, { requiredKeys: [], noNullPrototype: true }),
  },
  { requiredKeys: [], noNullPrototype: true },
);
const container = fc.record(
  {
    args: fc.array(word, { maxLength: 3 }),
    env: fc
      .uniqueArray(fc.record({ name: names, value: word }, { noNullPrototype: true }), { selector: ({ name }) => name })
      .filter((env) => env.length !== 1),
    ports: fc
      .uniqueArray(fc.constantFrom(80, 81, 82), { maxLength: 3 })
      .map((ports) => ports.map((containerPort) => ({ containerPort, protocol: "TCP" }))),
    resources: fc.record(
      {
        limits: fc.record(
          { cpu: fc.constantFrom("1", "1000m", "0.5", 1) },
          { requiredKeys: [], noNullPrototype: true },
        ),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
    imagePullPolicy: fc.constantFrom("Always", "Never"),
  },
  { requiredKeys: [], noNullPrototype: true },
);

test("applyDifferences() is never empty when an apply writes, and empty after every apply", async () => {
  let parts: Readonly<Record<string, unknown>> = {};
  let live = await client.apply(deployments, deployment("random", {}, {}), mine);
  let claims = 0;
  await fc.assert(
    fc.asyncProperty(podSpec, container, fc.nat(), async (randomPodSpec, randomContainer, choice) => {
      // One field at a time, so that the desired object is often the one that is there.
      const random = Object.entries({ ...prefixed("pod", randomPodSpec), ...prefixed("container", randomContainer) });
      const chosen = random[choice % Math.max(1, random.length)];
      parts = chosen === undefined ? parts : { ...parts, [chosen[0]]: chosen[1] };
      const object = deployment("random", unprefixed("pod", parts), unprefixed("container", parts));
      const claimed = applyDifferences(live, object, manager).length === 0;
      const applied = await client.apply(deployments, object, mine);
      // The generation moves with the spec, not with who owns something empty.
      const wrote = applied.metadata.generation !== live.metadata.generation;
      live = applied;
      if (claimed) claims += 1;
      assert.ok(!(claimed && wrote), "claimed to be applied, yet the server wrote");
      assert.deepEqual(applyDifferences(applied, object, manager), []);
    }),
    { numRuns: 300, endOnFailure: true },
  );
  assert.ok(claims > 20, `only ${claims} of the desired objects were there already`);
});

function prefixed(prefix: string, fields: object): object {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${prefix}.${name}`, value as unknown]));
}

function unprefixed(prefix: string, parts: Readonly<Record<string, unknown>>): object {
  const own = Object.entries(parts).filter(([name]) => name.startsWith(`${prefix}.`));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length + 1), value]));
}

function entryOf(object: KubeObject): ManagedFieldsEntry | undefined {
  return object.metadata.managedFields?.find((entry) => entry.manager === manager);
}
