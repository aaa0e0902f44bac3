import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../lib/kube/errors.ts";
import { writeFailure } from "./write-result.ts";

const context = { verb: "apply", resource: "services" };
const answer = (code: number, message: string, reason = "", cause?: string) =>
  new ApiError(code, { reason, message, details: cause === undefined ? {} : { causes: [{ reason: cause }] } }, context);

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
  "a quota is used up": [
    answer(403, 'services "kubearmor" is forbidden: exceeded quota: q, requested: services=1', "Forbidden"),
    "QuotaExceeded",
    false,
  ],
  "an admission policy says no": [
    answer(403, "admission webhook denied the request: no", "Forbidden"),
    "Rejected",
    false,
  ],
  "the namespace is going away": [
    answer(403, "unable to create new content in namespace a", "Forbidden", "NamespaceTerminating"),
    "NamespaceTerminating",
    false,
  ],
  "a field is invalid": [answer(422, "spec.selector: field is immutable", "Invalid"), "Rejected", false],
  "no merge can make sense of the object": [answer(500, "failed to create typed patch object"), "Rejected", false],
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
