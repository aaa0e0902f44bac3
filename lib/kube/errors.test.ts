import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ApiError,
  isAlreadyExists,
  isConflict,
  isExpired,
  isForbidden,
  isInvalid,
  isNamespaceTerminating,
  isNotFound,
  isResourceVersionTooLarge,
  isUnauthorized,
} from "./errors.ts";
import type { Status } from "./errors.ts";

const helpers = {
  isAlreadyExists,
  isConflict,
  isExpired,
  isForbidden,
  isInvalid,
  isNamespaceTerminating,
  isNotFound,
  isResourceVersionTooLarge,
  isUnauthorized,
};

const cases: Readonly<
  Record<string, { readonly code: number; readonly status: Status; readonly is: readonly (keyof typeof helpers)[] }>
> = {
  "a missing object": { code: 404, status: { reason: "NotFound" }, is: ["isNotFound"] },
  "a name that is taken": { code: 409, status: { reason: "AlreadyExists" }, is: ["isAlreadyExists"] },
  "a lost race": { code: 409, status: { reason: "Conflict" }, is: ["isConflict"] },
  "a refusal by RBAC": { code: 403, status: { reason: "Forbidden" }, is: ["isForbidden"] },
  "a create in a namespace that goes away": {
    code: 403,
    status: { reason: "Forbidden", details: { causes: [{ reason: "NamespaceTerminating" }] } },
    is: ["isForbidden", "isNamespaceTerminating"],
  },
  "a version that was compacted": { code: 410, status: { reason: "Expired" }, is: ["isExpired"] },
  "an older server's word for it": { code: 410, status: { reason: "Gone" }, is: ["isExpired"] },
  "a version of the future": {
    code: 504,
    status: { reason: "Timeout", details: { causes: [{ reason: "ResourceVersionTooLarge" }] } },
    is: ["isResourceVersionTooLarge"],
  },
  "a slow server": { code: 504, status: { reason: "Timeout" }, is: [] },
  "a wrong field": { code: 422, status: { reason: "Invalid" }, is: ["isInvalid"] },
  "a wrong body": { code: 400, status: { reason: "BadRequest" }, is: ["isInvalid"] },
  "a body that server-side apply cannot read": {
    code: 500,
    status: { message: "failed to create typed patch object (a/b; /v1, Kind=ConfigMap): .x: field not declared" },
    is: ["isInvalid"],
  },
  "a failing server": { code: 500, status: { reason: "InternalError" }, is: [] },
  "too many requests": { code: 429, status: { reason: "TooManyRequests" }, is: [] },
  "no credentials": { code: 401, status: { reason: "Unauthorized" }, is: ["isUnauthorized"] },
};

const context = { verb: "get", resource: "pods", objectName: "a" };

for (const [sentence, { code, status, is }] of Object.entries(cases)) {
  test(`ApiError helpers tell ${sentence}`, () => {
    const error = new ApiError(code, status, context);
    const found = Object.entries(helpers).flatMap(([name, helper]) => (helper(error) ? [name] : []));
    assert.deepEqual(found, is);
  });
}

test("ApiError helpers say no to other errors", () => {
  for (const [name, helper] of Object.entries(helpers)) assert.equal(helper(new Error("other")), false, name);
});

test("ApiError names the verb, the kind, the object, and what the server said", () => {
  const error = new ApiError(422, { message: "spec is wrong" }, { ...context, verb: "apply" });
  assert.equal(error.message, 'Cannot apply pods "a": server answered 422: spec is wrong');
});

test("ApiError takes the wait from the Status when there is no header", () => {
  assert.equal(new ApiError(429, { details: { retryAfterSeconds: 3 } }, context).retryAfterMs, 3000);
  assert.equal(new ApiError(429, { details: { retryAfterSeconds: 3 } }, context, 1000).retryAfterMs, 1000);
});
