import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../lib/kube/errors.ts";
import { invalidFields } from "./invalid-fields.ts";

function refusal(...fields: readonly (string | undefined)[]): ApiError {
  const causes = fields.map((field) => (field === undefined ? {} : { field }));
  return new ApiError(422, { reason: "Invalid", details: { causes } }, { verb: "apply", resource: "services" });
}

test("invalidFields() names what the refused fields are part of, without items of lists", () => {
  assert.deepEqual(
    invalidFields(refusal("spec.template.spec.containers[0].env[1].valueFrom", "spec.ports[1].name", "spec")),
    [["spec", "template", "spec", "containers", "env"], ["spec", "ports"], ["spec"]],
  );
});

test("invalidFields() finds none in metadata, and none when the server names none, as for a policy's refusal", () => {
  assert.deepEqual(invalidFields(refusal("metadata.annotations[a.b/c]", "", undefined)), []);
});
