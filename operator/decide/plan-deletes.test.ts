import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../lib/kube/errors.ts";
import { clusterRoleBindings, clusterRoles, deployments, roles, services } from "../../lib/kube/resources.ts";
import type { Resource } from "../../lib/kube/types.ts";
import type { LiveObject, Plan } from "./plan.ts";
import { type RefusedWrite, dueDeletes } from "./plan-deletes.ts";

function objectOf(resource: Resource): LiveObject {
  return { resource, object: { apiVersion: "v1", kind: resource.kind, metadata: { name: "o" } } };
}

function answer(resource: Resource, code: number, details = {}): RefusedWrite {
  return { object: { resource }, error: new ApiError(code, { details }, { verb: "apply", resource: resource.plural }) };
}

const foreign = (resource: Resource) => [{ ...objectOf(resource), refusal: undefined }];
const terminating = { causes: [{ reason: "NamespaceTerminating" }] };

type Due = "all" | "rights" | "nothing";

const cases: Readonly<Record<string, readonly [Partial<Plan>, refused: readonly RefusedWrite[], Due]>> = {
  "all is as it should be": [{}, [], "all"],
  "a Service was refused": [{}, [answer(services, 403)], "rights"],
  "a role was refused": [{}, [answer(roles, 403)], "nothing"],
  "the namespace of a role is not there": [{}, [answer(roles, 404, { kind: "namespaces" })], "rights"],
  "the namespace of a role is going": [{}, [answer(roles, 403, terminating)], "rights"],
  "one role was refused, and the namespace of another is not there": [
    {},
    [answer(roles, 404, { kind: "namespaces" }), answer(roles, 403)],
    "nothing",
  ],
  "a Service is taken over later": [{ adoptLater: [objectOf(services)] }, [], "rights"],
  "a Deployment is somebody else's": [{ foreign: foreign(deployments) }, [], "rights"],
  "a role is somebody else's": [{ foreign: foreign(roles) }, [], "nothing"],
  "a role is going": [{ leaving: [objectOf(roles)] }, [], "nothing"],
};

const deletes = [clusterRoleBindings, clusterRoles, services].map(objectOf);
const expected: Readonly<Record<Due, readonly LiveObject[]>> = {
  all: deletes,
  rights: deletes.slice(0, 2),
  nothing: [],
};

for (const [sentence, [plan, refused, due]] of Object.entries(cases)) {
  test(`dueDeletes() when ${sentence}: ${due}`, () => {
    const none = { writes: [], foreign: [], adoptLater: [], leaving: [], claimed: [], isRunning: true };
    assert.deepEqual(dueDeletes({ ...none, deletes, ...plan }, refused), expected[due]);
  });
}
