import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ApiError } from "../../lib/kube/errors.ts";
import { classifyReportFailure, fieldManager } from "./apply-entry.ts";

describe("fieldManager()", () => {
  it("names the pod", () => assert.equal(fieldManager("relay-5d-x2"), "relay-relay-5d-x2"));
  it("fits into what the API takes, and tells long names apart", () => {
    const long = "a".repeat(252);
    assert.equal(fieldManager(`${long}b`).length, 128);
    assert.notEqual(fieldManager(`${long}b`), fieldManager(`${long}c`));
  });
  it("leaves a name that just fits as it is", () => {
    assert.equal(fieldManager("a".repeat(122)), `relay-${"a".repeat(122)}`);
  });
});

const context = { verb: "apply", resource: "kubearmorrelays.operator.kubearmor.com" };

describe("classifyReportFailure()", () => {
  const cases: Record<string, { error: unknown; kind: string }> = {
    "tells that the KubeArmorRelay is gone": { error: new ApiError(404, {}, context), kind: "gone" },
    "tells that a right is missing": { error: new ApiError(403, {}, context), kind: "forbidden" },
    "tells that the entry is not valid": { error: new ApiError(422, {}, context), kind: "refused" },
    "tells that the CRD is older": {
      error: new ApiError(500, { message: "failed to create typed patch object: field not declared" }, context),
      kind: "refused",
    },
    "takes an error of the server for one that passes": { error: new ApiError(500, {}, context), kind: "unreachable" },
    "takes a broken connection for one that passes": { error: new Error("reset"), kind: "unreachable" },
  };
  for (const [sentence, { error, kind }] of Object.entries(cases)) {
    it(sentence, () => assert.equal(classifyReportFailure(error), kind));
  }
});
