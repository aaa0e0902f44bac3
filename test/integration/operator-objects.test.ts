import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import {
  clusterRoleBindings,
  clusterRoles,
  configMaps,
  deployments,
  events,
  pods,
  roleBindings,
  roles,
  serviceAccounts,
  services,
} from "../../lib/kube/resources.ts";
import type { KubeObject, Resource } from "../../lib/kube/types.ts";
import { relayResource } from "../../operator/api/relay.ts";
import type { Operator } from "../../operator/operator.ts";
import { type Harness, conditionOf, eventually, startHarness, statusOf, untilCondition } from "./operator-harness.ts";

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

const namespacedKinds: readonly (readonly [Resource, (name: string) => string])[] = [
  [serviceAccounts, (name) => name],
  [roles, (name) => name],
  [roleBindings, (name) => name],
  [configMaps, (name) => name],
  [services, () => "kubearmor"],
  [deployments, (name) => name],
];

/** A namespace with a relay in it that is ready. */
async function readyRelay(
  namespace: string,
  spec = {},
): Promise<{ readonly namespace: string; readonly name: string }> {
  const name = { namespace, name: "relay" };
  await harness.createNamespace(namespace);
  await harness.createRelay(namespace, name.name, spec);
  await untilCondition(harness.admin, name, "Ready", "True");
  return name;
}

async function fetchObject(resource: Resource, namespace: string, name: string): Promise<KubeObject> {
  const object = await harness.admin.get(resource, resource.namespaced ? { namespace, name } : { name });
  assert.ok(object, `${resource.kind} ${name} exists`);
  return object;
}

function uidsOf(objects: readonly KubeObject[]): readonly (string | undefined)[] {
  return objects.map(({ metadata }) => metadata.uid);
}

test("a relay: every object with its owner, and Ready when its pods are", async () => {
  const { namespace, name } = await readyRelay("create");
  const relay = await fetchObject(relayResource, namespace, name);
  for (const [resource, nameOf] of namespacedKinds) {
    const object = await fetchObject(resource, namespace, nameOf(name));
    assert.deepEqual(
      object.metadata.ownerReferences?.map(({ uid, controller }) => ({ uid, controller })),
      [{ uid: relay.metadata.uid, controller: true }],
      `owner of ${resource.kind}`,
    );
  }
  for (const resource of [clusterRoles, clusterRoleBindings]) {
    const object = await fetchObject(resource, namespace, `kubearmor-relay:${namespace}:${name}`);
    assert.equal(object.metadata.labels?.["operator.kubearmor.com/owner-uid"], relay.metadata.uid);
  }
  const status = statusOf(relay);
  assert.equal(status.endpoint, "kubearmor.create.svc:32767");
  assert.equal(status.image, "localhost/relay:test");
  assert.equal(status.stdout, "none");
  assert.equal(status.readyReplicas, 1);
  for (const condition of status.conditions ?? [])
    assert.equal(condition.observedGeneration, relay.metadata.generation);
  assert.equal(conditionOf(relay, "Reconciling"), undefined);
  assert.equal(conditionOf(relay, "Stalled"), undefined);
});

test("a relay: kubectl get shows its state, kubectl describe its Events", async () => {
  const { namespace, name } = await readyRelay("shown");
  const text = await harness.plane.kubectl(["-n", namespace, "get", "kar", "-o", "wide"]);
  const [header, row] = text.split("\n").map((line) => line.trim().split(/\s+/));
  assert.deepEqual(header, [
    "NAME",
    "READY",
    "REASON",
    "REPLICAS",
    "AGENTS",
    "STDOUT",
    "VERSION",
    "AGE",
    "IMAGE",
    "ENDPOINT",
  ]);
  const withoutAge = row?.filter((_, index) => index !== 7);
  assert.deepEqual(withoutAge, [
    name,
    "True",
    "RelayReady",
    "1",
    "0",
    "none",
    "0.0.0-fake",
    "localhost/relay:test",
    "kubearmor.shown.svc:32767",
  ]);
  const ready = await eventually("there is an Event", async () => {
    const all = await harness.admin.list(events, { namespace });
    return all.find((event) => event["reason"] === "RelayReady");
  });
  assert.equal(ready["type"], "Normal");
  assert.equal((ready["regarding"] as { readonly kind?: string }).kind, "KubeArmorRelay");
});

test("a relay: Ready is not True before its pods are, and names what holds them", async () => {
  const held = { podAnnotations: { "test.kubearmor-relay/hold": "yes" } };
  const at = { namespace: "held", name: "relay" };
  await harness.createNamespace(at.namespace);
  await harness.createRelay(at.namespace, at.name, held);
  const relay = await untilCondition(harness.admin, at, "Ready", "False", "RolloutInProgress");
  assert.equal(conditionOf(relay, "Applied")?.status, "True");
  assert.equal(conditionOf(relay, "Available")?.status, "False");
  assert.equal(conditionOf(relay, "Reconciling")?.status, "True");
  const [pod] = await harness.admin.list(pods, { namespace: at.namespace });
  assert.ok(pod);
  const waiting = { reason: "ImagePullBackOff", message: "Back-off pulling image" };
  const container = {
    name: "kubearmor-relay-server",
    image: "x",
    imageID: "",
    ready: false,
    restartCount: 0,
    state: { waiting },
  };
  const patch = JSON.stringify({ status: { containerStatuses: [container] } });
  const target = ["-n", at.namespace, "patch", "pod", pod.metadata.name, "--subresource=status"];
  await harness.plane.kubectl([...target, "--type=merge", "-p", patch]);
  const failed = await untilCondition(harness.admin, at, "Ready", "False", "ImagePullFailed");
  assert.match(
    conditionOf(failed, "Degraded")?.message ?? "",
    new RegExp(`${pod.metadata.name}.*localhost/relay:test`),
  );
});

test("spec.stdout: a toggle writes the ConfigMap and leaves the Deployment and its pods alone", async () => {
  const at = await readyRelay("toggle");
  const deployment = await fetchObject(deployments, at.namespace, at.name);
  const podsBefore = await harness.admin.list(pods, { namespace: at.namespace });
  await harness.admin.mergePatch(relayResource, at, { spec: { stdout: { alerts: true, messages: true } } });
  const configMap = await eventually("the ConfigMap says so", async () => {
    const object = await fetchObject(configMaps, at.namespace, at.name);
    const data = object["data"] as Readonly<Record<string, string>>;
    return data["ENABLE_STDOUT_ALERTS"] === "true" ? data : undefined;
  });
  assert.equal(configMap["ENABLE_STDOUT_LOGS"], "false");
  assert.equal(configMap["ENABLE_STDOUT_MSGS"], "true");
  const { stdout } = parse(configMap["config.yaml"] ?? "") as { readonly stdout: unknown };
  assert.deepEqual(stdout, { alerts: true, logs: false, messages: true });
  const relay = await untilCondition(harness.admin, at, "Ready", "True");
  assert.equal(statusOf(relay).stdout, "alerts,messages");
  const now = await fetchObject(deployments, at.namespace, at.name);
  assert.equal(now.metadata.generation, deployment.metadata.generation);
  assert.deepEqual(uidsOf(await harness.admin.list(pods, { namespace: at.namespace })), uidsOf(podsBefore));
});

test("drift: fields of ours are put back, fields of others stay", async () => {
  const at = await readyRelay("drift");
  await harness.admin.mergePatch(deployments, at, {
    metadata: { annotations: { theirs: "kept" }, labels: { "app.kubernetes.io/managed-by": "somebody" } },
    spec: { template: { spec: { terminationGracePeriodSeconds: 5 } } },
  });
  const repaired = await eventually("the Deployment is repaired", async () => {
    const object = await fetchObject(deployments, at.namespace, at.name);
    const spec = object["spec"] as {
      readonly template: { readonly spec: { readonly terminationGracePeriodSeconds: number } };
    };
    return spec.template.spec.terminationGracePeriodSeconds === 30 ? object : undefined;
  });
  assert.equal(repaired.metadata.annotations?.["theirs"], "kept");
  const event = await eventually("an Event names the field and who changed it", async () => {
    const all = await harness.admin.list(events, { namespace: at.namespace });
    return all.find(({ reason }) => reason === "DriftRepaired");
  });
  assert.match(String(event["note"]), /Deployment relay: .*terminationGracePeriodSeconds.* by test/);
  assert.equal(repaired.metadata.labels?.["app.kubernetes.io/managed-by"], "kubearmor-relay-operator");
  await harness.admin.mergePatch(configMaps, at, {
    data: { ENABLE_STDOUT_LOGS: "true" },
    metadata: { ownerReferences: null },
  });
  await eventually("the ConfigMap is repaired", async () => {
    const { metadata, ...object } = await fetchObject(configMaps, at.namespace, at.name);
    const data = object["data"] as Readonly<Record<string, string>>;
    return data["ENABLE_STDOUT_LOGS"] === "false" && metadata.ownerReferences?.length === 1 ? true : undefined;
  });
});

test("drift: an object that is deleted is made anew", async () => {
  const at = await readyRelay("recreate");
  const clusterName = `kubearmor-relay:${at.namespace}:${at.name}`;
  const all = [
    ...namespacedKinds.map(([resource, nameOf]) => [resource, nameOf(at.name)] as const),
    [clusterRoles, clusterName] as const,
    [clusterRoleBindings, clusterName] as const,
  ];
  for (const [resource, name] of all) {
    const { uid } = (await fetchObject(resource, at.namespace, name)).metadata;
    const target = resource.namespaced ? { namespace: at.namespace, name } : { name };
    await harness.admin.delete(resource, target, { propagationPolicy: "Background" });
    await eventually(`${resource.kind} is there again`, async () => {
      const object = await harness.admin.get(resource, target);
      return object !== undefined && object.metadata.uid !== uid ? true : undefined;
    });
  }
});

test("spec.service.name: a new name makes a new Service and removes the old one", async () => {
  const at = await readyRelay("rename");
  await harness.admin.mergePatch(relayResource, at, { spec: { service: { name: "other" } } });
  await eventually("only the new Service is left", async () => {
    const scope = { namespace: at.namespace, labelSelector: "kubearmor-app" };
    const names = (await harness.admin.list(services, scope)).map(({ metadata }) => metadata.name);
    return names.length === 1 && names[0] === "other" ? true : undefined;
  });
});

test("live settings: they are in the ConfigMap, and no pod is replaced", async () => {
  const at = await readyRelay("live");
  const earlier = await harness.admin.list(pods, { namespace: at.namespace });
  const spec = {
    clusterName: "prod",
    stdout: { alerts: true },
    limits: { maxSubscribers: 10, mailboxBytes: "1Mi", bufferBytes: 67_108_864 },
    agents: { namespaces: ["kubearmor"], selector: { matchLabels: { tier: "node" } }, port: 40_000 },
    logLevel: "debug",
  };
  await harness.admin.mergePatch(relayResource, at, { spec });
  const settings = await eventually("the settings are there", async () => {
    const { data } = (await fetchObject(configMaps, at.namespace, at.name)) as { readonly data?: unknown };
    const text = (data as Readonly<Record<string, string>>)["config.yaml"] ?? "";
    return text.includes("prod") ? (parse(text) as unknown) : undefined;
  });
  assert.deepEqual(settings, {
    ...spec,
    stdout: { alerts: true, logs: false, messages: false },
    enrichment: { remoteHost: true },
    agents: { namespaces: ["kubearmor"], selector: "kubearmor-app=kubearmor,tier=node", port: 40_000 },
  });
  await untilCondition(harness.admin, at, "Ready", "True");
  assert.deepEqual(uidsOf(await harness.admin.list(pods, { namespace: at.namespace })), uidsOf(earlier));
});

test("spec.replicas: several that print get a Lease to take turns by; the right to it stays, as their pods may need it", async () => {
  const at = await readyRelay("turns", { stdout: { alerts: true } });
  const leaseRules = async () => {
    const { rules } = (await fetchObject(roles, at.namespace, at.name)) as { readonly rules?: unknown };
    return (rules as readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[])
      .filter(({ resources }) => resources.includes("leases"))
      .map(({ verbs }) => verbs.join());
  };
  const hasLease = async () =>
    JSON.stringify(await fetchObject(deployments, at.namespace, at.name)).includes(
      `--lease=${at.namespace}/${at.name}-kubearmor-relay-stdout`,
    );
  assert.deepEqual(await leaseRules(), ["create", "get,update"]);
  assert.equal(await hasLease(), false);
  await harness.admin.mergePatch(relayResource, at, { spec: { replicas: 2 } });
  await eventually("both pods are told of the Lease", async () => ((await hasLease()) ? true : undefined));
  assert.deepEqual(await leaseRules(), ["create", "get,update"]);
  await untilCondition(harness.admin, at, "Ready", "True");
  await harness.admin.mergePatch(relayResource, at, { spec: { replicas: 1 } });
  await eventually("the pod is told of no Lease", async () => ((await hasLease()) ? undefined : true));
  assert.deepEqual(await leaseRules(), ["create", "get,update"]);
});

test("spec.enrichment: Services are granted while peers are named", async () => {
  const at = await readyRelay("enrich");
  const granted = async () =>
    JSON.stringify(
      (await fetchObject(clusterRoles, at.namespace, `kubearmor-relay:${at.namespace}:${at.name}`))["rules"],
    );
  assert.match(await granted(), /"pods","services"/);
  await harness.admin.mergePatch(relayResource, at, { spec: { enrichment: { remoteHost: false } } });
  await eventually("Services are granted no more", async () =>
    (await granted()).includes("services") ? undefined : true,
  );
  assert.match(await granted(), /"pods"/);
});

test("a name that is taken: nothing of ours is written over it, and the condition says which", async () => {
  const at = { namespace: "taken", name: "relay" };
  await harness.createNamespace(at.namespace);
  await harness.plane.kubectl(["-n", at.namespace, "create", "configmap", at.name, "--from-literal=mine=yes"]);
  await harness.createRelay(at.namespace, at.name, {});
  const relay = await untilCondition(harness.admin, at, "Applied", "False", "NameConflict");
  assert.match(conditionOf(relay, "Ready")?.message ?? "", /ConfigMap relay/);
  assert.equal(conditionOf(relay, "Stalled")?.status, "True");
  const configMap = await fetchObject(configMaps, at.namespace, at.name);
  assert.deepEqual(configMap["data"], { mine: "yes" });
  assert.equal(await harness.admin.get(deployments, at), undefined);
});

test("two relays that want one Service name: the second is refused, the first is not touched", async () => {
  const at = await readyRelay("two");
  await harness.createRelay(at.namespace, "second", {});
  await untilCondition(harness.admin, { ...at, name: "second" }, "Applied", "False", "NameConflict");
  const first = await fetchObject(relayResource, at.namespace, at.name);
  assert.equal(conditionOf(first, "Ready")?.status, "True");
});

test("spec.suspend: differences are named and not repaired until it is false again", async () => {
  const at = await readyRelay("suspend");
  await harness.admin.mergePatch(relayResource, at, { spec: { suspend: true } });
  await untilCondition(harness.admin, at, "Applied", "True");
  const settings = await fetchObject(configMaps, at.namespace, at.name);
  const data = settings["data"] as Readonly<Record<string, string>>;
  const printing = (data["config.yaml"] ?? "").replace("logs: false", "logs: true");
  await harness.admin.mergePatch(configMaps, at, { data: { "config.yaml": printing } });
  const relay = await untilCondition(harness.admin, at, "Applied", "False", "Suspended");
  assert.match(conditionOf(relay, "Applied")?.message ?? "", /ConfigMap relay/);
  await eventually("the pods confirm what they print", async () => {
    const now = await fetchObject(relayResource, at.namespace, at.name);
    return statusOf(now).stdout === "logs" ? true : undefined;
  });
  await harness.admin.mergePatch(relayResource, at, { spec: { suspend: false } });
  const resumed = await untilCondition(harness.admin, at, "Ready", "True");
  assert.equal(statusOf(resumed).stdout, "none");
});

test("the scale subresource: kubectl scale changes the pods and status.replicas", async () => {
  const at = await readyRelay("scale");
  await harness.plane.kubectl(["-n", at.namespace, "scale", "kubearmorrelay", at.name, "--replicas=3"]);
  await eventually("three pods are ready", async () => {
    const relay = await untilCondition(harness.admin, at, "Ready", "True");
    return statusOf(relay).readyReplicas === 3 && statusOf(relay).replicas === 3 ? true : undefined;
  });
  await harness.plane.kubectl(["-n", at.namespace, "scale", "kubearmorrelay", at.name, "--replicas=0"]);
  await untilCondition(harness.admin, at, "Ready", "False", "ScaledToZero");
});

test("a relay that is deleted: all of its objects go, in its namespace and in the cluster", async () => {
  const at = await readyRelay("delete");
  const clusterName = { name: `kubearmor-relay:${at.namespace}:${at.name}` };
  assert.ok((await fetchObject(relayResource, at.namespace, at.name)).metadata.finalizers?.length);
  await harness.admin.delete(relayResource, at, { propagationPolicy: "Background" });
  await eventually("nothing is left", async () => {
    const left = await Promise.all([
      harness.admin.get(relayResource, at),
      ...namespacedKinds.map(([resource, nameOf]) => harness.admin.get(resource, { ...at, name: nameOf(at.name) })),
      ...[clusterRoles, clusterRoleBindings].map((resource) => harness.admin.get(resource, clusterName)),
    ]);
    return left.every((object) => object === undefined) ? true : undefined;
  });
});

test("a relay that is deleted and made anew at once gets objects of its own", async () => {
  const at = await readyRelay("anew");
  await harness.admin.delete(relayResource, at, { propagationPolicy: "Background" });
  const second = await eventually("the name is free", async () => {
    try {
      return await harness.createRelay(at.namespace, at.name, {});
    } catch {
      // The finalizer is still on.
      return undefined;
    }
  });
  await untilCondition(harness.admin, at, "Ready", "True");
  for (const [resource, nameOf] of namespacedKinds) {
    const object = await fetchObject(resource, at.namespace, nameOf(at.name));
    assert.equal(object.metadata.ownerReferences?.[0]?.uid, second.metadata.uid, resource.kind);
  }
});

test("a cluster role whose relay lost its finalizer by force is swept", async () => {
  const at = await readyRelay("forced");
  const clusterName = { name: `kubearmor-relay:${at.namespace}:${at.name}` };
  await operator[Symbol.asyncDispose]();
  await harness.admin.delete(relayResource, at);
  await harness.admin.mergePatch(relayResource, at, { metadata: { finalizers: null } });
  operator = await harness.start();
  await eventually("the ClusterRole is gone", async () =>
    (await harness.admin.get(clusterRoles, clusterName)) === undefined ? true : undefined,
  );
});

test("a namespace that is deleted with a relay in it goes", async () => {
  const at = await readyRelay("terminate");
  await harness.plane.kubectl(["delete", "namespace", at.namespace, "--wait=false"]);
  await eventually("the namespace is gone", async () => {
    const text = await harness.plane.kubectl(["get", "namespace", at.namespace, "--ignore-not-found", "-o", "name"]);
    return text.trim() === "" ? true : undefined;
  });
});
