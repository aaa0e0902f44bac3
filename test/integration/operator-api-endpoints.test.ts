import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { problemsOf } from "../../operator/decide/validate.ts";
import { relayOf } from "../../operator/testing/samples.ts";
import { parseEndpoint } from "../../relay/nodes/agent.ts";

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly pattern?: string;
}

const crd = parse(await readFile(new URL("../../crds/kubearmorrelays.yaml", import.meta.url), "utf8")) as {
  readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[] };
};
const schema = crd.spec.versions[0]?.schema.openAPIV3Schema;
const crdPattern =
  schema?.properties?.["spec"]?.properties?.["agents"]?.properties?.["endpoints"]?.items?.pattern ?? "none";

function isValid(text: string): boolean {
  return problemsOf(relayOf({ agents: { endpoints: [text] } })).length === 0;
}

/** What the relay would dial. */
function isDialled(text: string): boolean {
  const endpoint = parseEndpoint(text);
  return endpoint !== undefined && (!text.startsWith("[") || isIP(endpoint.host) === 6);
}

const table: Readonly<Record<string, boolean>> = {
  "host:32767": true,
  "vm-2.example.com:1": true,
  "10.0.0.1:65535": true,
  "[::]:1": true,
  "[::1]:3": true,
  "[2001:db8::1]:32767": true,
  "[2001:DB8:0:0:1:0:0:1]:1": true,
  "[1::]:1": true,
  "[1:2:3:4:5:6:7::]:1": true,
  "[::2:3:4:5:6:7:8]:1": true,
  "[::ffff:10.0.0.1]:1": true,
  "host:0": false,
  "host:65536": false,
  "host:99999": false,
  host: false,
  ":1": false,
  "::1:1": false,
  "[:::::]:1": false,
  "[.]:1": false,
  "[1:2]:1": false,
  "[1::2::3]:1": false,
  "[12345::]:1": false,
  "[::ffff:10.0.0.256]:1": false,
  "host:1,other:2": false,
  "": false,
};

for (const [text, isGood] of Object.entries(table)) {
  test(`endpoints: "${text}" is ${isGood ? "taken" : "refused"} by the CRD, the operator and the relay`, () => {
    assert.equal(new RegExp(crdPattern).test(text), isGood);
    assert.equal(isValid(text), isGood);
    if (isGood) assert.ok(isDialled(text));
    // A list is split before the relay reads it.
    else if (!text.includes(",")) assert.ok(!isDialled(text));
  });
}

const port = fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 0, max: 99_999 }));
const odd = fc.stringMatching(/^[0-9a-f:.]{0,24}$/);
const host = fc.oneof(
  fc.ipV4(),
  fc.domain(),
  fc.ipV6().map((address) => `[${address}]`),
  odd.map((text) => `[${text}]`),
);
const text = fc.oneof(
  fc.tuple(host, port).map(([name, number]) => `${name}:${number}`),
  fc.string(),
);

test("endpoints: whatever the CRD takes, the operator takes and the relay can dial", () => {
  fc.assert(
    fc.property(text, (each) => {
      const isTaken = new RegExp(crdPattern).test(each);
      assert.equal(isValid(each), isTaken);
      if (isTaken) assert.ok(isDialled(each));
    }),
    { numRuns: 2000 },
  );
});

test("endpoints: an address in brackets is taken exactly when it is one", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV6(), odd), (address) => {
      // Addresses with an IPv4 part are taken in their two common spellings only.
      fc.pre(!address.includes("."));
      assert.equal(isValid(`[${address}]:1`), isIP(address) === 6);
    }),
    { numRuns: 2000 },
  );
});
