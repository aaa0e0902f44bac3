import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../lib/kube/errors.ts";
import { clusterRoles, services } from "../../lib/kube/resources.ts";
import type { KubeObject, ManagedFieldsEntry } from "../../lib/kube/types.ts";
import type { Plan } from "../decide/plan.ts";
import { isStale } from "../decide/write-result.ts";
import { fieldManager } from "../desired/names.ts";
import { service } from "../desired/service.ts";
import { relayOf } from "../testing/samples.ts";
import { type WriteDeps, carryOut } from "./write.ts";

const desired = service(relayOf());

function answer(code: number, field = ""): ApiError {
  return new ApiError(code, { details: { causes: [{ field }] } }, { verb: "apply", resource: "services" });
}

function entry(manager: string, operation: string, port: string): ManagedFieldsEntry {
  return { manager, operation, apiVersion: "v1", fieldsV1: { "f:spec": { "f:ports": { [port]: {} } } } };
}

const invalid = answer(422, "spec.ports[1].name");

/** The Service as it is, with a port by somebody else. */
function liveService(metadata: Partial<KubeObject["metadata"]> = {}): KubeObject {
  const managedFields = [entry(fieldManager, "Apply", "k:1"), entry("them", "Update", "k:2")];
  const { object } = desired;
  return { ...object, metadata: { ...object.metadata, uid: "s", resourceVersion: "1", managedFields, ...metadata } };
}

interface World {
  readonly live?: KubeObject | undefined;
  /** What the server says to the applies, in order; then it takes them. */
  readonly applies?: readonly ApiError[];
  readonly patches?: readonly ApiError[];
  /** What a fresh read finds. */
  readonly fresh?: KubeObject;
  readonly deletes?: Plan["deletes"];
  readonly adopts?: boolean;
  readonly isRunning?: boolean;
}

/** The requests that carrying out a plan of this one write made, and its error. */
async function write({
  live,
  applies = [],
  patches = [],
  fresh,
  deletes = [],
  adopts = false,
  isRunning = true,
}: World) {
  const requests: string[] = [];
  const bodies: unknown[] = [];
  const refusals = { apply: [...applies], patch: [...patches] };
  const ask = async (kind: keyof typeof refusals, body: unknown) => {
    await Promise.resolve();
    requests.push(kind);
    bodies.push(body);
    const refusal = refusals[kind].shift();
    if (refusal !== undefined) throw refusal;
  };
  const deps: WriteDeps = {
    client: {
      async apply(_resource, object) {
        await ask("apply", object);
        return object;
      },
      async jsonPatch(_resource, _name, patch) {
        await ask("patch", patch);
        return liveService();
      },
      get: () => Promise.resolve(fresh ?? live),
      delete: () => Promise.resolve(requests.push("delete") > 0),
    },
    wrote() {},
    onWrite() {},
  };
  const none = { foreign: [], adoptLater: [], leaving: [], claimed: [], isRunning };
  const plan: Plan = { writes: [{ desired, live, paths: [], adopts }], deletes, ...none };
  const { written, errors } = await carryOut(plan, deps, new AbortController().signal);
  const [error] = errors;
  assert.equal(written.length + errors.length, 1);
  return { requests, bodies, error };
}

test("carryOut() takes over what stands beside its fields when the object is invalid with it, and applies again", async () => {
  const { requests, bodies, error } = await write({ live: liveService(), applies: [invalid] });
  assert.equal(error, undefined);
  assert.deepEqual(requests, ["apply", "patch", "apply"]);
  const fields = { "f:spec": { "f:ports": { "k:1": {}, "k:2": {} } } };
  assert.deepEqual(bodies[1], [
    { op: "test", path: "/metadata/resourceVersion", value: "1" },
    {
      op: "replace",
      path: "/metadata/managedFields",
      value: [{ ...entry(fieldManager, "Apply", ""), fieldsV1: fields }],
    },
  ]);
});

test("carryOut() reads anew when somebody wrote between the read and the take-over, a few times", async () => {
  const raced = await write({ live: liveService(), applies: [invalid], patches: [answer(422), answer(409)] });
  assert.equal(raced.error, undefined);
  assert.deepEqual(raced.requests, ["apply", "patch", "patch", "patch", "apply"]);
  const lost = await write({
    live: liveService(),
    applies: [invalid],
    patches: Array.from({ length: 9 }, () => answer(409)),
  });
  assert.equal(lost.error, invalid);
  assert.equal(lost.requests.length, 6);
});

const leftAlone: Readonly<Record<string, World>> = {
  "the refusal is not about the object": { live: liveService(), applies: [answer(403)] },
  "there was no object": { applies: [invalid] },
  "the object is no longer the relay's": { live: liveService({ ownerReferences: [] }), applies: [invalid] },
  "another object has the name by now": {
    live: liveService(),
    fresh: liveService({ uid: "other" }),
    applies: [invalid],
  },
  "nobody else wrote anything there": {
    live: liveService(),
    applies: [answer(422, "spec.template.spec.hostNetwork")],
  },
};

for (const [sentence, world] of Object.entries(leftAlone)) {
  test(`carryOut() takes nothing over when ${sentence}`, async () => {
    const { requests, error } = await write(world);
    assert.deepEqual(requests, ["apply"]);
    assert.equal(error, world.applies?.[0]);
  });
}

test("carryOut() writes to the very object that was judged", async () => {
  const [body] = (await write({ live: liveService() })).bodies as KubeObject[];
  assert.equal(body?.metadata.uid, "s");
  const [anew] = (await write({})).bodies as KubeObject[];
  assert.equal(anew?.metadata.uid, undefined);
  assert.equal(anew?.metadata.resourceVersion, "1", "which no object has: what is there by now is not written over");
});

test("carryOut() deletes nothing where it broke off, and what may be deleted otherwise", async () => {
  const deletes = [{ resource: services, object: liveService() }];
  assert.deepEqual((await write({ deletes })).requests, ["apply", "delete"]);
  assert.deepEqual((await write({ deletes, applies: [answer(403)] })).requests, ["apply"]);
  const rights = [{ resource: clusterRoles, object: liveService() }];
  assert.deepEqual((await write({ deletes: rights, applies: [answer(403)] })).requests, ["apply", "delete"]);
  const taken = { deletes: rights, applies: [answer(409)] };
  assert.deepEqual((await write({ ...taken, isRunning: false })).requests, ["apply"]);
});

test("carryOut() takes what others wrote before it applies, where it adopts", async () => {
  const { requests, bodies } = await write({ live: liveService(), adopts: true });
  assert.deepEqual(requests, ["patch", "apply"]);
  const [, replace] = bodies[0] as { value: readonly ManagedFieldsEntry[] }[];
  assert.deepEqual(
    replace?.value.map(({ manager }) => manager),
    [fieldManager],
  );
});

test("carryOut() applies nothing to what it cannot adopt because others write all the time: that is decided anew", async () => {
  const patches = Array.from({ length: 9 }, (_each, index) => answer(index % 2 === 0 ? 422 : 409));
  const { requests, error } = await write({ live: liveService(), adopts: true, patches });
  assert.deepEqual(new Set(requests), new Set(["patch"]));
  assert.ok(isStale(error));
});

test("carryOut() makes the server record who wrote what, where somebody cleared the record", async () => {
  const live = liveService({ managedFields: [] });
  const { requests, bodies } = await write({ live, adopts: true });
  assert.deepEqual(requests, ["apply", "apply"]);
  const { apiVersion, kind, metadata } = live;
  const { name, namespace, uid } = metadata;
  assert.deepEqual(bodies[0], { apiVersion, kind, metadata: { name, namespace, uid } });
});

test("carryOut() leaves with those who wrote them: finalizers, pull secrets, what tells tools to keep the object", async () => {
  const stays = {
    "f:metadata": {
      "f:annotations": {
        "f:helm.sh/resource-policy": {},
        "f:kustomize.toolkit.fluxcd.io/prune": {},
        "f:argocd.argoproj.io/sync-options": {},
      },
      "f:labels": { "f:kustomize.toolkit.fluxcd.io/prune": {} },
      "f:finalizers": { ".": {}, 'v:"x"': {} },
    },
    "f:imagePullSecrets": {},
    "f:secrets": {},
  };
  const goes = { "f:metadata": { "f:annotations": { ".": {}, "f:meta.helm.sh/release-name": {} } } };
  const annotations = { ...stays["f:metadata"]["f:annotations"], ...goes["f:metadata"]["f:annotations"] };
  const fieldsV1 = { ...stays, "f:metadata": { ...stays["f:metadata"], "f:annotations": annotations } };
  const theirs = { ...entry("helm", "Update", ""), fieldsV1 };
  const controllers = entry("kube-controller-manager", "Update", "k:2");
  const { bodies } = await write({ live: liveService({ managedFields: [theirs, controllers] }), adopts: true });
  const [, replace] = bodies[0] as { value: readonly ManagedFieldsEntry[] }[];
  assert.deepEqual(
    replace?.value.map((each) => [each.manager, each.fieldsV1]),
    [
      [fieldManager, goes],
      ["helm", stays],
      ["kube-controller-manager", controllers.fieldsV1],
    ],
  );
});
