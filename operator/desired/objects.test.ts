import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { stringify } from "yaml";
import type { KubeArmorRelay } from "../api/types.gen.ts";
import { relayOf } from "../testing/samples.ts";
import { ownerOf } from "../watch/keys.ts";
import type { DesiredObject } from "./object.ts";
import { desiredObjects } from "./objects.ts";

const options = { defaultImage: "registry/relay:default" };

const specs: Readonly<Record<string, KubeArmorRelay["spec"]>> = {
  default: {},
  everything: {
    image: "registry/relay:1",
    imagePullPolicy: "Always",
    imagePullSecrets: [{ name: "pull" }],
    replicas: 3,
    clusterName: "prod 1",
    stdout: { alerts: true, logs: false, messages: true },
    enrichment: { remoteHost: false },
    limits: { maxSubscribers: 20, mailboxBytes: 1_048_576, bufferBytes: "256Mi" },
    logLevel: "debug",
    service: {
      name: "events",
      type: "LoadBalancer",
      port: 443,
      nodePort: 30443,
      annotations: { "cloud/internal": "true" },
      ipFamilyPolicy: "RequireDualStack",
      ipFamilies: ["IPv6", "IPv4"],
      loadBalancerClass: "example.com/internal",
      loadBalancerSourceRanges: ["10.0.0.0/8"],
      externalTrafficPolicy: "Local",
      internalTrafficPolicy: "Local",
    },
    podDisruptionBudget: { maxUnavailable: "50%" },
    networkPolicy: {
      enabled: true,
      from: [{ namespaceLabels: { team: "siem" }, podLabels: { app: "otel" } }, { podLabels: { app: "karmor" } }],
    },
    agents: {
      namespaces: ["kubearmor", "edge"],
      selector: { matchLabels: { tier: "node", "kubearmor-app": "kubearmor" } },
      port: 32768,
      endpoints: ["vm-2:32767", "[2001:db8::1]:32767"],
    },
    resources: { requests: { cpu: 1 }, limits: { cpu: "2", memory: "1Gi" } },
    nodeSelector: { pool: "infra" },
    tolerations: [
      { operator: "Exists" },
      { key: "dedicated", operator: "Equal", value: "", effect: "NoExecute", tolerationSeconds: 0 },
    ],
    priorityClassName: "system-cluster-critical",
    podLabels: { team: "security" },
    podAnnotations: { "example.com/a": "b" },
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "pool", operator: "Exists", values: [] }], matchFields: [] }],
        },
      },
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 1,
            podAffinityTerm: {
              topologyKey: "kubernetes.io/hostname",
              namespaceSelector: {},
              labelSelector: { matchLabels: { app: "" }, matchExpressions: [] },
            },
          },
        ],
      },
    },
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule", minDomains: 2 },
      {
        maxSkew: 2,
        topologyKey: "rack",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: { app: "relay" } },
        matchLabelKeys: ["pod-template-hash"],
      },
    ],
    env: [
      { name: "HTTPS_PROXY", value: "http://proxy:3128" },
      { name: "NODE_NAME", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "spec.nodeName" } } },
      { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1000m" } } },
      { name: "TOKEN", valueFrom: { secretKeyRef: { name: "token", key: "token", optional: true } } },
    ],
    securityContext: {
      runAsUser: 1000,
      fsGroup: 2000,
      seccompProfile: { type: "Localhost", localhostProfile: "relay.json" },
    },
    terminationGracePeriodSeconds: 60,
    progressDeadlineSeconds: 300,
    podTemplate: {
      metadata: { annotations: { "example.com/injected": "yes" } },
      spec: {
        containers: [
          { name: "kubearmor-relay-server", image: "registry/relay:patched", livenessProbe: null },
          { name: "sidecar", image: "registry/sidecar:1" },
        ],
        volumes: [{ name: "tmp", emptyDir: {} }],
      },
    },
  },
};

for (const [name, spec] of Object.entries(specs)) {
  for (const { object } of desiredObjects(relayOf(spec), options)) {
    const component = object.metadata.labels?.["app.kubernetes.io/component"];
    const isElsewhere = ownerOf(object) !== undefined && object.metadata.namespace !== undefined;
    const part = isElsewhere ? `agents-${object.metadata.namespace}` : component;
    const golden = `${object.kind}${part === undefined ? "" : `.${part}`}.yaml`;
    test(`desiredObjects(): ${object.kind} of the ${name} relay is golden/${name}/${golden}`, async () => {
      const folder = new URL(`golden/${name}/`, import.meta.url);
      const file = new URL(golden, folder);
      const text = stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });
      if (process.env["UPDATE_GOLDEN"] === "1") {
        await mkdir(folder, { recursive: true });
        await writeFile(file, text);
      }
      assert.equal(text, await readFile(file, "utf8"));
    });
  }
}

const liveSpec: fc.Arbitrary<KubeArmorRelay["spec"]> = fc.record(
  {
    stdout: fc.record({ alerts: fc.boolean(), logs: fc.boolean(), messages: fc.boolean() }, { noNullPrototype: true }),
    clusterName: fc.constantFrom("", "a", "b"),
    limits: fc.record(
      { maxSubscribers: fc.integer({ min: 1, max: 5 }), bufferBytes: fc.constantFrom("16Mi", "64Mi") },
      { noNullPrototype: true },
    ),
    agents: fc.record(
      {
        namespaces: fc.subarray(["a", "b"]),
        selector: fc.constantFrom({ matchLabels: { a: "1" } }, { matchLabels: { a: "2" } }),
        port: fc.constantFrom(1, 2),
      },
      { noNullPrototype: true, requiredKeys: [] },
    ),
    logLevel: fc.constantFrom("debug", "info"),
  },
  { noNullPrototype: true, requiredKeys: [] },
);

function allButSettings(spec: KubeArmorRelay["spec"]): readonly DesiredObject[] {
  return desiredObjects(relayOf(spec), options).filter(({ object }) => object.kind !== "ConfigMap");
}

test("desiredObjects(): what is live changes the ConfigMap and nothing else", () => {
  fc.assert(
    fc.property(liveSpec, liveSpec, (before, after) => {
      assert.deepEqual(allButSettings(before), allButSettings(after));
    }),
  );
});

function kindsChangedBy(spec: KubeArmorRelay["spec"]): readonly string[] {
  const before = desiredObjects(relayOf(), options);
  return desiredObjects(relayOf(spec), options).flatMap((desired) =>
    before.some((each) => isDeepStrictEqual(desired, each)) ? [] : [desired.object.kind],
  );
}

test("desiredObjects(): enrichment changes the settings and the rights it needs, and no pod", () => {
  assert.deepEqual(kindsChangedBy({ enrichment: { remoteHost: false } }), ["ClusterRole", "ConfigMap"]);
});

test("desiredObjects(): a second replica brings the Lease and a budget; neither of them is there for one", () => {
  assert.deepEqual(kindsChangedBy({ replicas: 2 }), ["PodDisruptionBudget", "Deployment"]);
  assert.deepEqual(kindsChangedBy({ replicas: 0 }), ["Deployment"]);
  assert.ok(!JSON.stringify(desiredObjects(relayOf(), options)).includes("--lease"));
});

function rolesFor(replicas: number): readonly DesiredObject[] {
  return desiredObjects(relayOf({ replicas }), options).filter(({ object }) => object.kind === "Role");
}

test("desiredObjects(): pods that take turns may do so until the last of them has gone, even when one replica is wanted", () => {
  assert.match(JSON.stringify(rolesFor(1)), /"leases"\],"resourceNames":\["kubearmor-relay-kubearmor-relay-stdout"\]/);
  assert.deepEqual(rolesFor(1), rolesFor(2));
});

test("desiredObjects(): the Lease is no other component's, whatever the relay is called, and its name is a valid one", () => {
  for (const name of ["kubearmor-relay-operator", "x".repeat(63)]) {
    const relay = relayOf({ replicas: 2 }, { metadata: { namespace: "a", name } });
    const [lease = ""] = /(?<=--lease=a\/)[^"]+/.exec(JSON.stringify(desiredObjects(relay, options))) ?? [];
    assert.match(lease, /^.+-kubearmor-relay-stdout$/);
    assert.ok(lease.length <= 253);
  }
});

test("desiredObjects(): labels and annotations of the relay are on no object", () => {
  const theirs = {
    "argocd.argoproj.io/tracking-id": "app:operator.kubearmor.com/KubeArmorRelay:kubearmor/kubearmor-relay",
    "app.kubernetes.io/instance": "app",
    "kubectl.kubernetes.io/last-applied-configuration": "{}",
    "kustomize.toolkit.fluxcd.io/name": "app",
    "helm.sh/chart": "chart",
    "meta.helm.sh/release-name": "release",
  };
  const { metadata } = relayOf();
  const relay = relayOf({}, { metadata: { ...metadata, labels: theirs, annotations: theirs } });
  const text = JSON.stringify(desiredObjects(relay, options));
  for (const key of Object.keys(theirs)) assert.ok(!text.includes(key), key);
});

test("desiredObjects(): only the Service, the Deployment and its pods carry the label that clients look for", () => {
  const found = desiredObjects(relayOf({ replicas: 2, networkPolicy: { enabled: true } }), options)
    .filter(({ object }) => object.metadata.labels?.["kubearmor-app"] !== undefined)
    .map(({ object }) => `${object.kind} ${object.metadata.name}`);
  assert.deepEqual(found, ["Service kubearmor", "Deployment kubearmor-relay"]);
});

test("desiredObjects(): who may subscribe is restricted only where that is asked for", () => {
  assert.deepEqual(kindsChangedBy({ networkPolicy: { enabled: true } }), ["NetworkPolicy"]);
  assert.deepEqual(kindsChangedBy({ networkPolicy: { from: [{}] } }), []);
});

function serviceNames(name: string): readonly string[] {
  return desiredObjects(relayOf({}, { metadata: { namespace: "a", name } }), options)
    .filter(({ object }) => object.kind === "Service")
    .map(({ object }) => object.metadata.name);
}

test("desiredObjects(): names of Services are no longer than the server takes, and differ", () => {
  assert.deepEqual(serviceNames("relay"), ["kubearmor", "relay-metrics"]);
  const [first = "", second = ""] = ["a", "b"].map((end) => serviceNames(`${"x".repeat(62)}${end}`)[1]);
  assert.notEqual(first, second);
  for (const name of [first, second]) assert.ok(name.length <= 63 && name.endsWith("-metrics"), name);
});

function unownedKinds(spec: KubeArmorRelay["spec"]): readonly string[] {
  const unowned = desiredObjects(relayOf(spec), options).filter(({ object }) => ownerOf(object) !== undefined);
  return unowned.map(({ object }) => object.kind);
}

test("desiredObjects(): rights in the cluster only while there is no saying which namespaces are enough", () => {
  const agents = { namespaces: ["a"] };
  const enrichment = { remoteHost: false };
  for (const spec of [{}, { agents }, { enrichment }])
    assert.deepEqual(unownedKinds(spec), ["ClusterRole", "ClusterRoleBinding"]);
  assert.deepEqual(unownedKinds({ agents, enrichment }), ["Role", "RoleBinding"]);
});
