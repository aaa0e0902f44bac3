import assert from "node:assert/strict";
import { test } from "node:test";
import { testbedPaths } from "./config.ts";

const cases: Record<string, { env: Record<string, string>; wanted: RegExp }> = {
  "its own variable comes first": { env: { KUBEARMOR_RELAY_CACHE: "/a", XDG_CACHE_HOME: "/b" }, wanted: /^\/a$/ },
  "then the user's cache folder": { env: { XDG_CACHE_HOME: "/b" }, wanted: /^\/b\/kubearmor-relay$/ },
  "then .cache at home": { env: {}, wanted: /\/\.cache\/kubearmor-relay$/ },
  "an empty variable counts as unset": {
    env: { KUBEARMOR_RELAY_CACHE: "", XDG_CACHE_HOME: "" },
    wanted: /\/\.cache\//,
  },
};

for (const [name, { env, wanted }] of Object.entries(cases)) {
  test(`testbedPaths(): ${name}`, () => assert.match(testbedPaths(env).cache, wanted));
}
