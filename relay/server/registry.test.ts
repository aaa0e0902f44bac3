import assert from "node:assert/strict";
import { test } from "node:test";
import { unknownMethod } from "./registry.ts";

const services = new Set(["feeder.LogService"]);

const cases: Record<string, [string, string]> = {
  "a method of a known service": ["/feeder.LogService/Nope", "unknown method Nope for service feeder.LogService"],
  "an unknown service": ["/feeder.Nope/HealthCheck", "unknown service feeder.Nope"],
  "a path with one part": ["/nope", 'malformed method name: "/nope"'],
  "a path without a slash": ["nope", 'malformed method name: "nope"'],
  "a longer path": ["/a/b/c", "unknown service a/b"],
  nothing: ["", 'malformed method name: ""'],
};

for (const [criterion, [path, message]] of Object.entries(cases)) {
  test(`unknownMethod() names ${criterion}`, () => assert.equal(unknownMethod(path, services), message));
}
