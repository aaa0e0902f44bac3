import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../lib/kube/errors.ts";
import { failureOf, isStale, tellingError, writeFailure } from "./write-result.ts";

const context = { verb: "apply", resource: "services" };
const answer = (code: number, message: string, reason = "", cause?: string) =>
  new ApiError(code, { reason, message, details: cause === undefined ? {} : { causes: [{ reason: cause }] } }, context);

function missing(namespace: string): ApiError {
  const details = { name: namespace, kind: "namespaces" };
  return new ApiError(404, { reason: "NotFound", message: `namespaces "${namespace}" not found`, details }, context);
}

const cases: Readonly<Record<string, readonly [error: Error, reason: string, isRetryable: boolean]>> = {
  "RBAC refuses the request": [
    answer(403, 'services is forbidden: User "u" cannot patch resource "services" in API group ""', "Forbidden"),
    "PermissionDenied",
    false,
  ],
  "the role would grant more than the operator holds": [
    answer(403, 'user "u" is attempting to grant RBAC permissions not currently held: {...}', "Forbidden"),
    "PermissionDenied",
    false,
  ],
  "an owner whose deletion it may not block": [
    answer(
      403,
      'configmaps "r" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you can\'t set finalizers on: , <nil>',
      "Forbidden",
    ),
    "PermissionDenied",
    false,
  ],
  "a quota is used up": [
    answer(403, 'services "kubearmor" is forbidden: exceeded quota: q, requested: services=1', "Forbidden"),
    "QuotaExceeded",
    false,
  ],
  "an admission policy says no": [
    answer(422, "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no", "Invalid"),
    "Rejected",
    false,
  ],
  "an admission webhook says no, with the usual code": [
    answer(403, 'admission webhook "w.example.com" denied the request: no', "Forbidden"),
    "Rejected",
    false,
  ],
  "an admission webhook says no, with a code that otherwise means a conflict": [
    answer(409, 'admission webhook "w.example.com" denied the request: no', "Conflict"),
    "Rejected",
    false,
  ],
  "an admission webhook says no, with a code that otherwise means an outage": [
    answer(503, 'admission webhook "w.example.com" denied the request without explanation'),
    "Rejected",
    false,
  ],
  "an admission webhook cannot be reached": [
    answer(500, 'Internal error occurred: failed calling webhook "w.example.com": no route to host', "InternalError"),
    "ApplyFailed",
    true,
  ],
  "a limit of the namespace": [
    answer(403, 'deployments.apps "r" is forbidden: maximum cpu usage per Container is 1, but limit is 2', "Forbidden"),
    "Rejected",
    false,
  ],
  "the request is too large": [
    answer(413, "Request entity too large: limit is 3145728", "RequestEntityTooLarge"),
    "Rejected",
    false,
  ],
  "the object is too large for etcd": [answer(500, "etcdserver: request is too large"), "Rejected", false],
  "the object is too large on its way to etcd": [
    answer(500, "rpc error: code = ResourceExhausted desc = trying to send message larger than max (2 vs. 1)"),
    "Rejected",
    false,
  ],
  "the namespace is missing": [missing("agents"), "NamespaceNotFound", false],
  "the object is missing": [answer(404, 'roles "r" not found', "NotFound"), "ApplyFailed", true],
  "the namespace is going away": [
    answer(403, "unable to create new content in namespace a", "Forbidden", "NamespaceTerminating"),
    "NamespaceTerminating",
    false,
  ],
  "a field is invalid": [answer(422, "spec.selector: field is immutable", "Invalid"), "Rejected", false],
  "no merge can make sense of what is sent": [
    answer(500, 'failed to create typed patch object (a/b): .env: duplicate entries for key [name="A"]'),
    "Rejected",
    false,
  ],
  "no merge can make sense of what is stored": [answer(500, "failed to create typed live object"), "Rejected", false],
  "the server is out of order": [answer(500, "etcdserver: leader changed"), "ApplyFailed", true],
  "the connection broke": [new Error("Cannot reach the server"), "ApplyFailed", true],
};

for (const [sentence, [error, reason, isRetryable]] of Object.entries(cases)) {
  test(`writeFailure(): ${sentence}`, () => {
    const failure = writeFailure(error);
    assert.equal(failure.reason, reason);
    assert.equal(failure.isRetryable, isRetryable);
    assert.ok(failure.message.includes(error.message));
  });
}

const conflict = answer(409, "the object has been modified", "Conflict");
const forbidden = answer(403, "forbidden", "Forbidden");

test("tellingError(): a refusal, before a namespace that is missing, before what is decided anew", () => {
  assert.equal(tellingError([conflict, missing("a"), forbidden, missing("b")]), forbidden);
  assert.equal((tellingError([conflict, missing("a"), missing("b")]) as ApiError).details.name, "a");
  assert.equal(tellingError([conflict]), conflict);
  assert.equal(tellingError([]), undefined);
});

test("isStale(): a conflict, and no refusal that borrows its code", () => {
  assert.equal(isStale(conflict), true);
  assert.equal(isStale(answer(409, 'admission webhook "w" denied the request: no', "Conflict")), false);
});

test("failureOf() names every namespace that is missing, unless something else is wrong", () => {
  assert.equal(failureOf([missing("b"), forbidden]).reason, "Rejected");
  const failure = failureOf([missing("b"), missing("a"), missing("b"), conflict]);
  assert.equal(failure.reason, "NamespaceNotFound");
  assert.match(failure.message, /^Not found: namespace a, b; /);
});
