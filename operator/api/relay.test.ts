import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { desiredObjects } from "../desired/objects.ts";
import { metricsServiceName } from "../desired/names.ts";
import { relayOf } from "../testing/samples.ts";
import { type Relay, apiVersion, parseRelay, relayKind } from "./relay.ts";

const metadata = { namespace: "kubearmor", name: "kubearmor-relay", uid: "uid-1" };

function parse(fields: Readonly<Record<string, unknown>>): Relay {
  return parseRelay({ apiVersion, kind: relayKind, metadata, ...fields });
}

const json = fc.jsonValue({ maxDepth: 4 });
const fieldNames = [...Object.keys(relayOf().spec), "env", "affinity", "topologySpreadConstraints"];
/** Some of the fields that there are, each with anything in it. */
const monster = fc.oneof(
  json,
  fc.dictionary(fc.constantFrom(...fieldNames), fc.oneof(json, fc.dictionary(fc.constantFrom("name", "type"), json))),
);

test("parseRelay() of anything is a relay of which all objects can be made", () => {
  fc.assert(
    fc.property(monster, json, (spec, status) => {
      const relay = parse({ spec, status });
      assert.ok(desiredObjects(relay, { defaultImage: "image" }).length > 0);
    }),
    { numRuns: 2000 },
  );
});

test("parseRelay() of what it returned is the same", () => {
  fc.assert(
    fc.property(monster, (spec) => {
      const { violations: _, ...once } = parse({ spec });
      const { violations: __, ...twice } = parseRelay(once);
      assert.deepEqual(twice, once);
    }),
    { numRuns: 1000 },
  );
});

test("parseRelay() of no spec at all is a relay, and says what is missing", () => {
  const relay = parse({});
  assert.deepEqual(relay.spec, relayOf().spec);
  assert.deepEqual(relay.violations, [{ path: "spec", message: "is missing, must be an object", isTolerated: false }]);
});

test("parseRelay() does not hold a status against the user that it cannot read", () => {
  const relay = parse({ spec: {}, status: { conditions: "none", replicas: "many", endpoint: "here:1", agents: [] } });
  assert.equal(relay.violations, undefined);
  assert.deepEqual(relay.status, { endpoint: "here:1" });
});

test("parseRelay() knows the name of the Service for metrics", () => {
  const relay = relayOf();
  const other = relayOf({ service: { name: metricsServiceName(relay) } });
  assert.deepEqual(
    other.violations?.map(({ path }) => path),
    ["spec.service.name"],
  );
});
