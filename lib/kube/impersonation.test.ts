import assert from "node:assert/strict";
import { test } from "node:test";
import { type Impersonation, impersonationHeaders } from "./impersonation.ts";

const cases: Readonly<Record<string, readonly [Impersonation, ReturnType<typeof impersonationHeaders>]>> = {
  nobody: [{}, {}],
  "a user": [{ as: "jane" }, { "impersonate-user": "jane" }],
  "a user of groups, one of them with a comma": [
    { as: "jane", "as-groups": ["dev", "a,b"] },
    { "impersonate-user": "jane", "impersonate-group": ["dev", "a,b"] },
  ],
  "a user with a UID": [
    { as: "jane", "as-uid": "7" },
    { "impersonate-user": "jane", "impersonate-uid": "7" },
  ],
  "a user with extras whose keys cannot be names of headers": [
    { as: "jane", "as-user-extra": { scopes: ["view", "edit"], "Acme.com/Pro%ject": ["x"], none: [] } },
    {
      "impersonate-user": "jane",
      "impersonate-extra-scopes": ["view", "edit"],
      "impersonate-extra-acme.com%2Fpro%25ject": ["x"],
    },
  ],
  "empty lists": [{ "as-groups": null, "as-user-extra": {} }, {}],
};

for (const [sentence, [user, headers]] of Object.entries(cases)) {
  test(`impersonationHeaders() of ${sentence}`, () => assert.deepEqual(impersonationHeaders(user), headers));
}

for (const user of [{ "as-groups": ["system:masters"] }, { "as-uid": "7" }, { "as-user-extra": { a: ["b"] } }]) {
  test(`impersonationHeaders() refuses ${Object.keys(user).join()} without a user`, () => {
    assert.throws(() => impersonationHeaders(user), /need `as`, which is not set/);
  });
}
