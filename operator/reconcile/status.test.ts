import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../lib/kube/errors.ts";
import { configMaps, deployments, services } from "../../lib/kube/resources.ts";
import type { KubeObject, Resource } from "../../lib/kube/types.ts";
import { textHash } from "../../lib/process/text-hash.ts";
import { type Relay, relayResource } from "../api/relay.ts";
import { configMap, settingsFile } from "../desired/config-map.ts";
import { deployment } from "../desired/deployment.ts";
import { fieldManager } from "../desired/names.ts";
import { service } from "../desired/service.ts";
import { relayOf } from "../testing/samples.ts";
import { factsOf, writeStatus } from "./status.ts";

const options = { defaultImage: "relay:1" };

/** What there is of these objects, by kind and name. */
function known(...objects: readonly KubeObject[]): Parameters<typeof factsOf>[1] {
  const resources: readonly Resource[] = [services, deployments, configMaps];
  return {
    get: (resource, { name }) => objects.find(({ kind, metadata }) => kind === resource.kind && metadata.name === name),
    childrenOf: () =>
      objects.flatMap((object) =>
        resources.filter(({ kind }) => kind === object.kind).map((resource) => ({ resource, object })),
      ),
  };
}

const relay = relayOf();
const predecessor = relayOf({}, { metadata: { ...relay.metadata, uid: "uid-0" } });
const endpointWith = (wanted: Relay, ...objects: readonly KubeObject[]) => factsOf(wanted, known(...objects)).endpoint;

test("factsOf(): the endpoint is the live Service's, not the wanted one", () => {
  const { object } = service(relay);
  assert.equal(endpointWith(relay, object), "kubearmor.kubearmor.svc:32767");
  assert.equal(endpointWith(relayOf({ service: { port: 4000 } }), object), "kubearmor.kubearmor.svc:32767");
  assert.equal(endpointWith(relayOf({ service: { name: "other" } }), object), "kubearmor.kubearmor.svc:32767");
  assert.equal(endpointWith(relay), undefined);
});

test("factsOf(): of two Services of the relay the wanted one counts", () => {
  const renamed = relayOf({ service: { name: "other" } });
  assert.equal(endpointWith(renamed, service(relay).object, service(renamed).object), "other.kubearmor.svc:32767");
});

test("factsOf(): the port that a mesh put before ours is not the endpoint's", () => {
  const { object } = service(relay);
  const spec = { ports: [{ name: "mesh", port: 1 }, ...(object["spec"] as { ports: readonly object[] }).ports] };
  assert.equal(endpointWith(relay, { ...object, spec }), "kubearmor.kubearmor.svc:32767");
});

test("factsOf() says nothing about objects of another owner", () => {
  const objects = [service(predecessor).object, configMap(predecessor).object, deployment(predecessor, options).object];
  const { selector: _, ...facts } = factsOf(relay, known(...objects));
  assert.deepEqual(facts, { endpoint: undefined, image: undefined, settings: undefined, deployment: undefined });
});

test("factsOf(): the image is that of the relay's own container", () => {
  const { object } = deployment(relay, options);
  const spec = object["spec"] as { template: { spec: { containers: readonly object[] } } };
  const containers = [{ name: "proxy", image: "proxy:1" }, ...spec.template.spec.containers];
  const injected = { ...object, spec: { template: { spec: { containers } } } };
  const { image } = factsOf(relay, known(injected));
  assert.equal(image, "relay:1");
});

test("factsOf(): the settings are those of the live ConfigMap, from the operator's last write on", () => {
  const { object } = configMap(relay);
  const data = object["data"] as Readonly<Record<string, string>>;
  const written = {
    ...object.metadata,
    creationTimestamp: "2026-01-01T00:00:00Z",
    managedFields: [
      { manager: fieldManager, time: "2026-01-03T00:00:00Z" },
      { manager: "labels", time: "2026-01-04T00:00:00Z" },
    ],
  };
  assert.deepEqual(factsOf(relay, known({ ...object, metadata: written })).settings, {
    hash: textHash(data[settingsFile] ?? ""),
    sinceMs: Date.UTC(2026, 0, 3),
  });
  assert.equal(factsOf(relay, known({ ...object, data: {} })).settings, undefined);
});

function neverWrote(): void {
  assert.fail("nothing was written");
}

/** Tries to report while the server refuses with this code and has this object. */
async function refused(code: number, live: KubeObject | undefined): Promise<Relay | undefined> {
  const context = { verb: "apply", resource: relayResource.plural };
  const client = {
    apply: () => Promise.reject(new ApiError(code, { reason: "Conflict" }, context)),
    jsonPatch: () => assert.fail("nothing is replaced"),
    get: () => Promise.resolve(live),
  };
  return await writeStatus(relay, relay.status, { client, wrote: neverWrote }, new AbortController().signal);
}

test("writeStatus() leaves a relay alone that is gone or another one by now", async () => {
  assert.equal(await refused(404, undefined), undefined);
  assert.equal(await refused(409, undefined), undefined);
  assert.equal(await refused(409, predecessor), undefined);
});

test("writeStatus() fails when others wrote the same relay at the same time, so that it is retried", async () => {
  await assert.rejects(refused(409, relay), ApiError);
});

test("writeStatus() replaces a status that cannot be merged, and keeps what is not the operator's", async () => {
  const lastTransitionTime = "2026-01-01T00:00:00Z";
  const foreign = { type: "Audited", status: "True", reason: "Seen", message: "", lastTransitionTime } as const;
  const ours = { ...foreign, type: "Ready" } as const;
  const relays = [{ pod: "a" }];
  const stored = relayOf({}, { status: { conditions: [foreign, { ...ours, reason: "Old" }], relays } });
  let value: unknown;
  const client = {
    apply: () =>
      Promise.reject(
        new ApiError(500, { message: "failed to create typed live object (a/b)" }, { verb: "apply", resource: "r" }),
      ),
    get: () => assert.fail("nothing is looked at"),
    jsonPatch: (_resource: unknown, _name: unknown, patch: readonly unknown[]) => {
      value = (patch[1] as { readonly value: unknown }).value;
      return Promise.resolve({ ...stored } as unknown as KubeObject);
    },
  };
  const status = { observedGeneration: 3, conditions: [ours] };
  await writeStatus(stored, status, { client, wrote: () => {} }, new AbortController().signal);
  assert.deepEqual(value, { observedGeneration: 3, conditions: [ours, foreign], relays });
});

test("writeStatus() takes away what an apply leaves, as another manager wrote it", async () => {
  const ready = {
    type: "Ready",
    status: "True",
    reason: "RelayReady",
    message: "",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  } as const;
  const metadata = { ...relay.metadata, resourceVersion: "7" };
  const status = { observedGeneration: 3, conditions: [ready] };
  const relays = [{ pod: "late" }];
  const stalled = { ...ready, type: "Stalled" } as const;
  const patches: unknown[] = [];
  const client = {
    apply: () =>
      Promise.resolve(
        relayOf({}, { metadata, status: { ...status, stdout: "old", conditions: [ready, stalled], relays } }),
      ),
    get: () => assert.fail("nothing is looked at"),
    jsonPatch: (_resource: unknown, _name: unknown, patch: readonly unknown[]) => {
      patches.push(patch);
      return Promise.resolve(relayOf({}, { metadata, status: { ...status, relays } }));
    },
  };
  const wrote: unknown[] = [];
  const deps = { client, wrote: (_resource: Resource, object: KubeObject) => wrote.push(object) };
  const written = await writeStatus(relay, status, deps, new AbortController().signal);
  assert.deepEqual(patches, [
    [
      { op: "test", path: "/metadata/resourceVersion", value: "7" },
      { op: "add", path: "/status", value: { ...status, relays } },
    ],
  ]);
  assert.deepEqual(written?.status.conditions, [ready]);
  assert.equal(wrote.length, 2);
});

test("writeStatus() leaves a surplus to the next pass when somebody wrote at the same time", async () => {
  const stored = relayOf({}, { status: { stdout: "old" } });
  const context = { verb: "patch", resource: relayResource.plural };
  const client = {
    apply: () => Promise.resolve(stored),
    get: () => assert.fail("nothing is looked at"),
    jsonPatch: () => Promise.reject(new ApiError(422, { reason: "Invalid" }, context)),
  };
  const deps = { client, wrote: () => {} };
  const written = await writeStatus(relay, { observedGeneration: 3 }, deps, new AbortController().signal);
  assert.equal(written?.status.stdout, "old");
});
