import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { applyDifferences } from "../../lib/kube/apply.ts";
import { isInvalid } from "../../lib/kube/errors.ts";
import { deployments, leases } from "../../lib/kube/resources.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import { apiVersion, parseRelay, relayKind, relayResource } from "../../operator/api/relay.ts";
import { deployment } from "../../operator/desired/deployment.ts";
import { fieldManager, leaseName } from "../../operator/desired/names.ts";
import { desiredObjects } from "../../operator/desired/objects.ts";
import type { Operator } from "../../operator/operator.ts";
import {
  type AuditedRequest,
  type Harness,
  type Spec,
  conditionOf,
  eventually,
  startHarness,
  untilCondition,
  untilIdle,
  writesOf,
} from "./operator-harness.ts";
import { anyPodSpec } from "./operator-knobs-arbitrary.ts";

const namespace = "knobs";
const options = { defaultImage: "localhost/relay:test" };
const own = "kubearmor-relay-server";

/** Everything that the server stores in a form of its own, or leaves out, or adds to. */
const specs: Readonly<Record<string, Spec>> = {
  typed: {
    replicas: 2,
    image: "registry.example/relay:1",
    service: {
      name: "typed",
      type: "LoadBalancer",
      ipFamilyPolicy: "SingleStack",
      ipFamilies: ["IPv4"],
      loadBalancerClass: "example.com/internal",
      loadBalancerSourceRanges: ["10.0.0.0/8", "192.168.0.0/16"],
      externalTrafficPolicy: "Local",
      internalTrafficPolicy: "Local",
    },
    podDisruptionBudget: { maxUnavailable: "50%" },
    resources: { requests: { cpu: 1, memory: "1024Mi" }, limits: { cpu: "1000m", memory: "1.5Gi" } },
    nodeSelector: {},
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "absent", operator: "DoesNotExist", values: [] }], matchFields: [] },
          ],
        },
        preferredDuringSchedulingIgnoredDuringExecution: [],
      },
      podAffinity: {},
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 100,
            podAffinityTerm: {
              topologyKey: "kubernetes.io/hostname",
              namespaces: [],
              namespaceSelector: {},
              labelSelector: { matchLabels: { a: "" }, matchExpressions: [] },
            },
          },
        ],
      },
    },
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "ScheduleAnyway" },
      {
        maxSkew: 2,
        topologyKey: "zone",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: {} },
        nodeAffinityPolicy: "Honor",
        matchLabelKeys: ["pod-template-hash"],
      },
    ],
    env: [
      { name: "EMPTY", value: "" },
      { name: "NODE_NAME", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "spec.nodeName" } } },
      { name: "CPU", valueFrom: { resourceFieldRef: { containerName: "", resource: "limits.cpu", divisor: "1000m" } } },
      { name: "MEMORY", valueFrom: { resourceFieldRef: { resource: "limits.memory" } } },
      { name: "SECRET", valueFrom: { secretKeyRef: { name: "none", key: "none", optional: true } } },
      { name: "CONFIG", valueFrom: { configMapKeyRef: { name: "none", key: "none", optional: false } } },
    ],
    securityContext: {
      runAsUser: 1000,
      runAsGroup: 0,
      fsGroup: 2000,
      fsGroupChangePolicy: "OnRootMismatch",
      supplementalGroups: [],
      seLinuxOptions: { level: "s0:c1,c2", role: "" },
      sysctls: [],
      seccompProfile: { type: "Localhost", localhostProfile: "relay.json" },
    },
    terminationGracePeriodSeconds: 60,
    progressDeadlineSeconds: 300,
  },
  template: {
    service: { name: "template" },
    podTemplate: {
      metadata: { labels: { team: "" }, annotations: { "example.com/empty": "" } },
      spec: {
        containers: [
          {
            name: own,
            livenessProbe: null,
            readinessProbe: { successThreshold: 1, initialDelaySeconds: 0 },
            lifecycle: { preStop: { httpGet: { port: 8080, httpHeaders: [{ name: "A", value: "" }] } } },
            resources: { limits: { "ephemeral-storage": "1024Mi" } },
            env: [
              { name: "EMPTY", value: "" },
              { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
              { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1000m" } } },
            ],
            ports: [{ containerPort: 9000 }, { containerPort: 9000, protocol: "UDP" }],
            volumeMounts: [
              { name: "tmp", mountPath: "/tmp", readOnly: false },
              { name: "projected", mountPath: "/projected", subPath: "" },
            ],
            args: null,
          },
          { name: "sidecar", image: "registry.example/sidecar:1", args: [""], securityContext: {}, resources: {} },
        ],
        initContainers: [{ name: "init", image: "registry.example/init:1", restartPolicy: "Always", envFrom: [] }],
        volumes: [
          { name: "tmp", emptyDir: {} },
          { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1024Ki" } },
          { name: "fields", downwardAPI: { items: [{ path: "a", fieldRef: { fieldPath: "metadata.name" } }] } },
          {
            name: "projected",
            projected: {
              sources: [
                { serviceAccountToken: { path: "token", audience: "" } },
                { configMap: { name: "none", items: [], optional: true } },
                {
                  downwardAPI: {
                    items: [
                      {
                        path: "cpu",
                        resourceFieldRef: { containerName: own, resource: "limits.cpu", divisor: "1000m" },
                      },
                    ],
                  },
                },
              ],
            },
          },
          {
            name: "scratch",
            ephemeral: {
              volumeClaimTemplate: {
                spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1024Mi" } } },
              },
            },
          },
          { name: "secret", secret: { secretName: "none", optional: true, items: [{ key: "a", path: "b" }] } },
        ],
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 1, preference: { matchExpressions: [{ key: "a", operator: "Exists", values: [] }] } },
            ],
          },
        },
        tolerations: [{ key: "", operator: "Exists", value: "", effect: "" }],
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "ScheduleAnyway", labelSelector: { matchLabels: {} } },
        ],
        hostAliases: [{ ip: "10.0.0.1", hostnames: ["a"] }],
        dnsConfig: { searches: ["a"], options: [{ name: "ndots", value: "1" }, { name: "edns0" }] },
        readinessGates: [],
        imagePullSecrets: [{ name: "pull" }],
        schedulerName: "default-scheduler",
        shareProcessNamespace: false,
        enableServiceLinks: false,
        priorityClassName: "",
      },
    },
  },
};

let harness: Harness;
let operator: Operator;

before(async () => {
  harness = await startHarness();
  operator = await harness.start();
  await harness.createNamespace(namespace);
});

after(async () => {
  await operator[Symbol.asyncDispose]();
  await harness[Symbol.asyncDispose]();
});

async function fetchRelay(name: string): Promise<KubeObject> {
  const relay = await harness.admin.get(relayResource, { namespace, name });
  assert.ok(relay);
  return relay;
}

/** What an apply would change, a line each, object by object. */
async function differencesOf(name: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const { resource, object } of desiredObjects(parseRelay(await fetchRelay(name)), options)) {
    const live = await harness.admin.get(resource, object.metadata);
    assert.ok(live, `${object.kind} ${object.metadata.name}`);
    for (const { kind, path } of applyDifferences(live, object, fieldManager))
      lines.push(`${object.kind} ${path} (${kind})`);
  }
  return lines;
}

for (const [name, spec] of Object.entries(specs)) {
  test(`a relay with every knob (${name}): the server takes it, and nothing differs from what it stores`, async () => {
    await harness.createRelay(namespace, name, spec);
    await untilCondition(harness.admin, { namespace, name }, "Applied", "True");
    await untilIdle(operator);
    assert.deepEqual(await differencesOf(name), []);
  });
}

interface PodView {
  readonly containers: readonly { readonly livenessProbe?: unknown; readonly volumeMounts?: readonly unknown[] }[];
}

async function podSpecOf(name: string): Promise<PodView> {
  const live = await harness.admin.get(deployments, { namespace, name });
  const spec = live?.["spec"] as { readonly template: { readonly spec: PodView } };
  return spec.template.spec;
}

const removals = {
  name: own,
  livenessProbe: { $patch: "delete" },
  volumeMounts: [{ mountPath: "/etc/kubearmor-relay", $patch: "delete" }],
};

/** `kubectl apply` keeps no null, neither way. */
for (const flags of [[], ["--server-side", "--force-conflicts"]]) {
  test(`spec.podTemplate: kubectl apply ${flags.join(" ")} removes what is ours, and brings it back`, async () => {
    const metadata = { namespace, name: `kubectl${flags.length}` };
    const apply = async (podTemplate: object) => {
      const spec = { service: { name: metadata.name }, podTemplate };
      const input = JSON.stringify({ apiVersion, kind: relayKind, metadata, spec });
      await harness.plane.kubectl(["apply", ...flags, "-f", "-"], { input });
      await untilCondition(harness.admin, metadata, "Applied", "True");
      return (await podSpecOf(metadata.name)).containers[0];
    };
    const earlier = await apply({});
    assert.equal(earlier?.volumeMounts?.length, 1);
    assert.notEqual(earlier.livenessProbe, undefined);
    const without = await apply({ spec: { containers: [removals] } });
    assert.deepEqual(without?.volumeMounts ?? [], []);
    assert.equal(without?.livenessProbe, undefined);
    assert.deepEqual(await apply({}), earlier);
  });
}

test("names of 63 characters that differ in the last: each object of both is there, the Lease's name is one", async () => {
  const names = ["1", "2"].map((end) => `${"relay-".repeat(10)}xx${end}`);
  for (const [index, name] of names.entries()) {
    assert.equal(name.length, 63);
    await harness.createRelay(namespace, name, {
      replicas: 2,
      networkPolicy: { enabled: true },
      service: { name: `long${index}` },
    });
    await untilCondition(harness.admin, { namespace, name }, "Applied", "True");
    assert.deepEqual(await differencesOf(name), []);
    const lease = { namespace, name: leaseName({ metadata: { name } }) };
    await harness.admin.create(leases, { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: lease });
  }
});

test("a name that begins with a digit: every object is there", async () => {
  await harness.createRelay(namespace, "0relay", { service: { name: "digit" } });
  await untilCondition(harness.admin, { namespace, name: "0relay" }, "Applied", "True");
  assert.deepEqual(await differencesOf("0relay"), []);
});

test("a podTemplate that the server takes, whatever it says: nothing differs from what it stores", async () => {
  let taken = 0;
  for (const [index, spec] of fc.sample(anyPodSpec, { numRuns: 100, seed: 5 }).entries()) {
    const at = { namespace, name: `any${index}` };
    const relay = parseRelay({
      apiVersion,
      kind: relayKind,
      metadata: at,
      spec: { replicas: 0, podTemplate: { spec } },
    });
    const { metadata, ...rest } = deployment(relay, options).object;
    // No owner: the garbage collector would take it.
    const object = { ...rest, metadata: { ...at, labels: metadata.labels ?? {} } };
    const live = await applied(object);
    if (live === undefined) continue;
    taken += 1;
    assert.deepEqual(applyDifferences(live, object, fieldManager), [], JSON.stringify(spec));
  }
  assert.ok(taken >= 40, `only ${taken} were taken`);
});

/** Undefined when the server refuses it: what it takes is not known here. */
async function applied(object: KubeObject): Promise<KubeObject | undefined> {
  try {
    return await harness.admin.apply(deployments, object, { fieldManager, force: true });
  } catch (error) {
    if (isInvalid(error)) return undefined;
    throw error;
  }
}

test("spec.podTemplate: an override is told of; a key twice is refused, nothing is written, and it is not tried again", async () => {
  const at = { namespace, name: "refused" };
  const containers = [{ name: own, env: [{ name: "A", value: "1" }], image: "registry.example/relay:patched" }];
  await harness.createRelay(namespace, at.name, { service: { name: at.name }, podTemplate: { spec: { containers } } });
  const accepted = await untilCondition(harness.admin, at, "Accepted", "True", "Unwise");
  assert.match(
    conditionOf(accepted, "Accepted")?.message ?? "",
    /overrides \.spec\.containers\[kubearmor-relay-server\]\.image/,
  );
  await untilIdle(operator);
  const earlier = writesOf(await harness.requests()).length;
  const twice = [{ name: own, env: [...(containers[0]?.env ?? []), { name: "A", value: "2" }] }];
  await harness.admin.mergePatch(relayResource, at, { spec: { podTemplate: { spec: { containers: twice } } } });
  const refused = await untilCondition(harness.admin, at, "Accepted", "False", "InvalidSpec");
  assert.match(conditionOf(refused, "Accepted")?.message ?? "", /env\[A\]: is there twice/);
  await untilIdle(operator);
  const writes = writesOf(await harness.requests()).slice(earlier);
  assert.deepEqual(writes.filter(isOfObject), []);
});

/** Neither a status nor an Event. */
function isOfObject({ uri }: AuditedRequest): boolean {
  return !uri.includes("/kubearmorrelays/") && !uri.includes("/events");
}

/** So many passes over relays has the operator made. */
async function passCount(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${operator.httpPort}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.startsWith("controller_runtime_reconcile_total{"));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

test("an operator that restarts beside relays with every knob: no object of theirs is written", async () => {
  const relays = await harness.admin.list(relayResource, { namespace });
  await untilIdle(operator);
  await operator[Symbol.asyncDispose]();
  const earlier = writesOf(await harness.requests()).length;
  operator = await harness.start();
  await eventually("every relay was looked at", async () => ((await passCount()) >= relays.length ? true : undefined));
  await untilIdle(operator);
  const writes = writesOf(await harness.requests()).slice(earlier);
  assert.deepEqual(writes.filter(isOfObject), []);
});
