import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../lib/kube/errors.ts";
import { configMaps, deployments, services } from "../../lib/kube/resources.ts";
import type { KubeObject, Resource } from "../../lib/kube/types.ts";
import { type Relay, relayResource } from "../api/relay.ts";
import { configMap } from "../desired/config-map.ts";
import { deployment } from "../desired/deployment.ts";
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
  assert.deepEqual(facts, { endpoint: undefined, image: undefined, stdout: undefined, deployment: undefined });
});

test("factsOf(): the image is that of the relay's own container", () => {
  const { object } = deployment(relay, options);
  const spec = object["spec"] as { template: { spec: { containers: readonly object[] } } };
  const containers = [{ name: "proxy", image: "proxy:1" }, ...spec.template.spec.containers];
  const injected = { ...object, spec: { template: { spec: { containers } } } };
  const { image } = factsOf(relay, known(injected));
  assert.equal(image, "relay:1");
});

test("factsOf(): stdout names the streams of the live ConfigMap", () => {
  assert.equal(factsOf(relay, known(configMap(relay).object)).stdout, "none");
  const printing = relayOf({ stdout: { alerts: true, messages: true } });
  assert.equal(factsOf(relay, known(configMap(printing).object)).stdout, "alerts,messages");
});

function neverWrote(): void {
  assert.fail("nothing was written");
}

/** Tries to report while the server refuses with this code and has this object. */
async function refused(code: number, live: KubeObject | undefined): Promise<boolean> {
  const context = { verb: "apply", resource: relayResource.plural };
  const client = {
    apply: () => Promise.reject(new ApiError(code, { reason: "Conflict" }, context)),
    get: () => Promise.resolve(live),
  };
  return await writeStatus(relay, relay.status, { client, wrote: neverWrote }, new AbortController().signal);
}

test("writeStatus() leaves a relay alone that is gone or another one by now", async () => {
  assert.equal(await refused(404, undefined), false);
  assert.equal(await refused(409, undefined), false);
  assert.equal(await refused(409, predecessor), false);
});

test("writeStatus() fails when others wrote the same relay at the same time, so that it is retried", async () => {
  await assert.rejects(refused(409, relay), ApiError);
});
