import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { configMaps, deployments, events, services } from "../../lib/kube/resources.ts";
import type { KubeObject, ObjectName, Resource } from "../../lib/kube/types.ts";
import { relayResource } from "../../operator/api/relay.ts";
import type { Operator } from "../../operator/operator.ts";
import { type Harness, conditionOf, eventually, startHarness, untilCondition, untilIdle } from "./operator-harness.ts";

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

const limit = { timeout: 60_000 };

type RelayName = Required<ObjectName>;

async function readyRelay(namespace: string, spec = {}): Promise<RelayName> {
  const at = { namespace, name: "relay" };
  await harness.createNamespace(namespace);
  await harness.createRelay(namespace, at.name, spec);
  await untilCondition(harness.admin, at, "Ready", "True");
  return at;
}

async function fetchObject(resource: Resource, name: RelayName): Promise<KubeObject> {
  const object = await harness.admin.get(resource, name);
  assert.ok(object, `${resource.kind} ${name.name} exists`);
  return object;
}

interface Container {
  readonly image?: string;
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly readinessProbe: { readonly exec?: unknown; readonly httpGet?: unknown };
}

function containerOf(deployment: KubeObject): Container {
  const spec = deployment["spec"] as { template: { spec: { containers: [Container] } } };
  return spec.template.spec.containers[0];
}

function portsOf(service: KubeObject): readonly { readonly name?: string; readonly port: number }[] {
  return (service["spec"] as { ports: { name?: string; port: number }[] }).ports;
}

/** Whose pods the Service leads to. */
function relayOfService(service: KubeObject): string | undefined {
  const { selector } = service["spec"] as { selector: Readonly<Record<string, string>> };
  return selector["operator.kubearmor.com/relay"];
}

async function untilDriftNoted(namespace: string, pattern: RegExp): Promise<void> {
  await eventually(`an Event says ${pattern.source}`, async () => {
    const all = await harness.admin.list(events, { namespace });
    return all.some(({ reason, note }) => reason === "DriftRepaired" && pattern.test(String(note))) ? true : undefined;
  });
}

function patchDeployment(at: RelayName, operations: readonly unknown[]): Promise<unknown> {
  const target = ["-n", at.namespace, "patch", "deployment", at.name, "--type=json"];
  return harness.plane.kubectl([...target, "-p", JSON.stringify(operations)]);
}

const containerPath = "/spec/template/spec/containers/0";

/** Edits that leave something beside a field of ours with which the object would be invalid. */
const edits: Readonly<
  Record<string, readonly [edit: (at: RelayName) => Promise<unknown>, isRepaired: (at: RelayName) => Promise<boolean>]>
> = {
  "kubectl set env of a variable of ours": [
    (at) => harness.plane.kubectl(["-n", at.namespace, "set", "env", "deployment/relay", "ENABLE_STDOUT_LOGS=true"]),
    async (at) => {
      const variable = containerOf(await fetchObject(deployments, at)).env.find(
        ({ name }) => name === "ENABLE_STDOUT_LOGS",
      );
      return variable?.value === undefined && variable?.valueFrom !== undefined;
    },
  ],
  "another port of the Service": [
    async (at) => {
      const service = await fetchObject(services, { ...at, name: "kubearmor" });
      const [port] = portsOf(service);
      const spec = { ...(service["spec"] as object), ports: [{ ...port, port: 9000 }] };
      await harness.admin.replace(services, { ...service, spec });
    },
    async (at) => {
      const ports = portsOf(await fetchObject(services, { ...at, name: "kubearmor" }));
      return ports.length === 1 && ports[0]?.port === 32767;
    },
  ],
  "another kind of probe": [
    (at) =>
      patchDeployment(at, [
        { op: "remove", path: `${containerPath}/readinessProbe/httpGet` },
        { op: "add", path: `${containerPath}/readinessProbe/exec`, value: { command: ["true"] } },
      ]),
    async (at) => {
      const { readinessProbe } = containerOf(await fetchObject(deployments, at));
      return readinessProbe.exec === undefined && readinessProbe.httpGet !== undefined;
    },
  ],
};

for (const [index, [edit, [change, isRepaired]]] of Object.entries(edits).entries()) {
  test(`drift: ${edit} is put back`, limit, async () => {
    const at = await readyRelay(`edit-${index}`);
    await change(at);
    await eventually("it is put back", async () => ((await isRepaired(at)) ? true : undefined));
    await untilDriftNoted(at.namespace, /^Put back (Deployment|Service) .* after a write by (kubectl|test)/);
    await untilCondition(harness.admin, at, "Ready", "True");
  });
}

test("drift: what others wrote stays theirs when it is the spec that is invalid", limit, async () => {
  const at = await readyRelay("spec-invalid");
  const name = { ...at, name: "kubearmor" };
  await harness.admin.mergePatch(services, name, { spec: { publishNotReadyAddresses: true } });
  await harness.admin.mergePatch(relayResource, at, { spec: { service: { type: "NodePort", nodePort: 31 } } });
  await untilCondition(harness.admin, at, "Applied", "False", "Rejected");
  await untilIdle(operator);
  const { metadata } = await fetchObject(services, name);
  const theirs = metadata.managedFields?.find(({ manager }) => manager === "test");
  assert.deepEqual(theirs?.fieldsV1, { "f:spec": { "f:publishNotReadyAddresses": {} } });
  await harness.admin.mergePatch(relayResource, at, { spec: { service: { nodePort: null } } });
  await untilCondition(harness.admin, at, "Ready", "True");
  const { publishNotReadyAddresses } = (await fetchObject(services, name))["spec"] as Readonly<Record<string, unknown>>;
  assert.equal(publishNotReadyAddresses, true);
});

test("spec.service.name: the old Service stays while the new one is refused", limit, async () => {
  const at = await readyRelay("rename-refused");
  await harness.plane.kubectl(["-n", at.namespace, "create", "quota", "q", "--hard=services=2"]);
  await eventually("the quota counts", async () => {
    const used = await harness.plane.kubectl([
      "-n",
      at.namespace,
      "get",
      "quota",
      "q",
      "-o",
      "jsonpath={.status.used}",
    ]);
    return used.includes('"2"') ? true : undefined;
  });
  await harness.admin.mergePatch(relayResource, at, { spec: { service: { name: "other" } } });
  await untilCondition(harness.admin, at, "Applied", "False", "QuotaExceeded");
  await untilIdle(operator);
  assert.ok(await harness.admin.get(services, { ...at, name: "kubearmor" }));
});

test("spec.service.name: one that is taken does not freeze a relay that runs", limit, async () => {
  const at = await readyRelay("rename-taken");
  await harness.plane.kubectl(["-n", at.namespace, "create", "service", "clusterip", "taken", "--tcp=80"]);
  await harness.admin.mergePatch(relayResource, at, { spec: { service: { name: "taken" }, image: "localhost/new:1" } });
  const relay = await untilCondition(harness.admin, at, "Applied", "False", "NameConflict");
  assert.match(conditionOf(relay, "Applied")?.message ?? "", /Service taken/);
  assert.equal(containerOf(await fetchObject(deployments, at)).image, "localhost/new:1");
  assert.ok(await harness.admin.get(services, { ...at, name: "kubearmor" }), "the old Service stays");
  assert.equal(relayOfService(await fetchObject(services, { ...at, name: "taken" })), undefined);
});

/** A relay that is younger by a second at least: ages are of whole seconds. */
async function createYounger({ metadata }: KubeObject): Promise<RelayName> {
  const { namespace = "", creationTimestamp = "" } = metadata;
  await eventually("a second has passed", async () => {
    const probe = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name: randomUUID() } };
    const { metadata: now } = await harness.admin.create(configMaps, probe);
    return (now.creationTimestamp ?? "") > creationTimestamp ? true : undefined;
  });
  const younger = { namespace, name: "a-younger" };
  await harness.createRelay(namespace, younger.name, {});
  return younger;
}

/** A ready relay and a younger one that is refused the same Service. */
async function twoRelays(namespace: string): Promise<readonly [older: RelayName, younger: RelayName]> {
  const older = await readyRelay(namespace);
  const younger = await createYounger(await fetchObject(relayResource, older));
  await untilCondition(harness.admin, younger, "Applied", "False", "NameConflict");
  return [older, younger];
}

async function assertBelongsTo(owner: RelayName, other: RelayName): Promise<void> {
  await untilCondition(harness.admin, owner, "Ready", "True");
  await untilCondition(harness.admin, other, "Applied", "False", "NameConflict");
  const service = await fetchObject(services, { ...owner, name: "kubearmor" });
  assert.equal(relayOfService(service), owner.name);
  assert.deepEqual(
    service.metadata.ownerReferences?.map(({ name }) => name),
    [owner.name],
  );
}

test(
  "two relays that want one Service: it stays with its relay when its owner reference is taken off",
  limit,
  async () => {
    const [older, younger] = await twoRelays("stolen");
    await operator[Symbol.asyncDispose]();
    const noOwner = { metadata: { ownerReferences: null } };
    await harness.admin.mergePatch(services, { ...older, name: "kubearmor" }, noOwner);
    operator = await harness.start();
    await untilIdle(operator);
    await assertBelongsTo(older, younger);
  },
);

test("two relays that want one Service: a Service that was left behind is taken over by neither", limit, async () => {
  const [older, younger] = await twoRelays("orphan");
  await harness.admin.delete(relayResource, older, { propagationPolicy: "Orphan" });
  await eventually("the Service is an orphan", async () => {
    const { metadata } = await fetchObject(services, { ...older, name: "kubearmor" });
    return metadata.ownerReferences === undefined ? true : undefined;
  });
  await harness.admin.mergePatch(relayResource, younger, { spec: { podAnnotations: { a: "b" } } });
  await untilCondition(harness.admin, younger, "Applied", "False", "NameConflict");
  assert.equal(relayOfService(await fetchObject(services, { ...older, name: "kubearmor" })), older.name);
});

test(
  "two relays that want one Service: the older one has it when both are new, whoever is looked at first",
  limit,
  async () => {
    await operator[Symbol.asyncDispose]();
    const namespace = "together";
    const older = { namespace, name: "z-older" };
    await harness.createNamespace(namespace);
    const younger = await createYounger(await harness.createRelay(namespace, older.name, {}));
    operator = await harness.start();
    await untilIdle(operator);
    await assertBelongsTo(older, younger);
  },
);

test("two relays that want one Service: when it is deleted, it is the older one's again", limit, async () => {
  const [older, younger] = await twoRelays("deleted");
  const { metadata } = await fetchObject(services, { ...older, name: "kubearmor" });
  await harness.admin.delete(services, { ...older, name: "kubearmor" });
  await eventually("it is there again", async () => {
    const service = await harness.admin.get(services, { ...older, name: "kubearmor" });
    return service !== undefined && service.metadata.uid !== metadata.uid ? true : undefined;
  });
  await assertBelongsTo(older, younger);
});

test("two relays that want one Service: the younger has it at once when the older is deleted", limit, async () => {
  const [older, younger] = await twoRelays("heir");
  await harness.admin.delete(relayResource, older, { propagationPolicy: "Background" });
  await untilCondition(harness.admin, younger, "Ready", "True");
});

test("a relay that is annotated while the operator first writes it: the conflict is no Event", limit, async () => {
  const namespace = "annotated";
  await harness.createNamespace(namespace);
  const names = Array.from({ length: 15 }, (_, index) => `relay-${index}`);
  await Promise.all(
    names.map(async (name) => {
      await harness.createRelay(namespace, name, { service: { name } });
      for (const at of ["1", "2", "3", "4"])
        await harness.admin.mergePatch(relayResource, { namespace, name }, { metadata: { annotations: { at } } });
    }),
  );
  for (const name of names) await untilCondition(harness.admin, { namespace, name }, "Ready", "True");
  const failed = await harness.admin.list(events, { namespace });
  assert.deepEqual(
    failed.filter(({ reason }) => reason === "ApplyFailed").map(({ note }) => note),
    [],
  );
});

test(
  "spec.agents.namespaces with one that is missing: it is named, all else is written, and it is repaired when it is there",
  limit,
  async () => {
    const at = { namespace: "far", name: "relay" };
    await harness.createNamespace(at.namespace);
    await harness.createRelay(at.namespace, at.name, {
      agents: { namespaces: ["agents-soon"] },
      enrichment: { remoteHost: false },
    });
    const relay = await untilCondition(harness.admin, at, "Applied", "False", "NamespaceNotFound");
    assert.match(conditionOf(relay, "Stalled")?.message ?? "", /^Not found: namespace agents-soon; /);
    await untilCondition(harness.admin, at, "Available", "True");
    await harness.createNamespace("agents-soon");
    await untilCondition(harness.admin, at, "Ready", "True");
  },
);
