import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { textHash } from "../../lib/process/text-hash.ts";
import { relayOf } from "../testing/samples.ts";
import { leaseName, metricsServiceName } from "./names.ts";
import { desiredObjects } from "./objects.ts";

/** A relay's name by the rule of the API: a label of DNS. */
const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);

/** Few letters and many lengths, so that names share what comes first and what comes last. */
const similar = fc
  .tuple(
    fc.constantFrom("a", "0", "kubearmor-relay", "a".repeat(30)),
    fc.constantFrom("", "-metrics", "-kubearmor-relay-stdout", "-metrics-0", "r-0", "-".repeat(20), "b".repeat(33)),
    fc.constantFrom("", "a", "b", "0", "-metrics"),
  )
  .map((parts) => parts.join("").slice(0, 63))
  .filter((name) => /[a-z0-9]$/.test(name));

/** A long name, and what it is cut to for a Service or for a Lease. */
const crafted = fc
  .tuple(fc.stringMatching(/^[a-z]{63}$/), fc.constantFrom(38, 23))
  .map(([name, length]): [string, string] => [name, `${name.slice(0, length)}-${textHash(name)}`]);

const name = fc.oneof(label, similar);
const twoNames = fc.oneof(fc.tuple(name, name), crafted);

function relayNamed(text: string) {
  const spec = { replicas: 2, networkPolicy: { enabled: true }, enrichment: { remoteHost: false } };
  return relayOf(
    { ...spec, agents: { namespaces: ["a", "b"] }, service: { name: "same" } },
    { metadata: { namespace: "kubearmor", name: text, uid: text } },
  );
}

/** Kind, namespace and name of every object, and of the Lease, which the pods make; without the Service that the spec names. */
function namesOf(text: string): readonly string[] {
  const relay = relayNamed(text);
  const objects = desiredObjects(relay, { defaultImage: "image" })
    .filter(({ object }) => object.metadata.name !== "same")
    .map(({ object: { kind, metadata } }) => `${kind}/${metadata.namespace ?? ""}/${metadata.name}`);
  return [...objects, `Lease/kubearmor/${leaseName(relay)}`];
}

test("names: two relays of a namespace share none, whatever they are called", () => {
  fc.assert(
    fc.property(twoNames, ([first, second]) => {
      fc.pre(first !== second);
      const taken = new Set(namesOf(first));
      assert.deepEqual(
        namesOf(second).filter((each) => taken.has(each)),
        [],
      );
    }),
    { numRuns: 1_000 },
  );
});

test("names: no two objects of one relay share one", () => {
  fc.assert(fc.property(label, (text) => assert.equal(new Set(namesOf(text)).size, namesOf(text).length)));
});

test("names: in a namespace they are labels of DNS of 63 characters at most, and a Service begins with a letter", () => {
  fc.assert(
    fc.property(name, (relay) => {
      for (const text of namesOf(relay)) {
        const [kind, , child = ""] = text.split("/");
        if (child.includes(":")) assert.match(child, /^kubearmor-relay:kubearmor:[-a-z0-9]+$/);
        else assert.match(child, /^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, text);
        if (kind === "Service") assert.match(child, /^[a-z]/, text);
      }
    }),
  );
});

/** They must not change: what was made under another name would stay, or be made anew. */
const stable: Readonly<Record<string, readonly [service: string, lease: string]>> = {
  relay: ["relay-metrics", "relay-kubearmor-relay-stdout"],
  "0": ["r-0-metrics-0", "0-kubearmor-relay-stdout"],
  ["x".repeat(54)]: [`${"x".repeat(54)}-metrics`, `${"x".repeat(23)}-45f316e10b2c99ab-kubearmor-relay-stdout`],
  ["x".repeat(63)]: [
    `${"x".repeat(38)}-75220b47218278e6-metrics`,
    `${"x".repeat(23)}-75220b47218278e6-kubearmor-relay-stdout`,
  ],
};

for (const [text, [service, lease]] of Object.entries(stable)) {
  test(`names: of a relay of ${text.length} characters (${text.slice(0, 5)}) they stay what they are`, () => {
    const metadata = { name: text };
    assert.deepEqual([metricsServiceName({ metadata }), leaseName({ metadata })], [service, lease]);
  });
}
