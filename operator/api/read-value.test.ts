import assert from "node:assert/strict";
import { test } from "node:test";
import { readValue } from "./read-value.ts";
import type { SchemaNode } from "./schema.ts";

const item: SchemaNode = {
  type: "object",
  required: ["name"],
  properties: { name: { type: "string" }, kind: { type: "string", default: "plain" } },
};
const schema: SchemaNode = {
  type: "object",
  properties: {
    plain: { type: "integer", default: 1, minimum: 0 },
    word: { type: "string", enum: ["a", "b"] },
    stanza: { type: "object", default: {}, properties: { inner: { type: "string", default: "a", maxLength: 2 } } },
    whole: {
      type: "object",
      default: { a: 1 },
      properties: { a: { type: "integer" }, list: { type: "array", default: [], items: { type: "string" } } },
    },
    bare: { type: "object", properties: { deep: { type: "boolean", default: true } } },
    items: { type: "array", unique: ["name"], items: item },
    map: { type: "object", values: { type: "int-or-string" }, maxProperties: 2 },
    open: { type: "object", keepsUnknown: true },
    ruled: {
      type: "object",
      properties: { x: { type: "integer" } },
      rules: [{ message: "x is even", fieldPath: ".x" }],
    },
  },
};
const defaults = { plain: 1, stanza: { inner: "a" }, whole: { a: 1, list: [] } };

function isEven(_: string, value: unknown): boolean {
  return ((value as { readonly x?: number }).x ?? 0) % 2 === 0;
}

function read(value: unknown): { readonly value: unknown; readonly said: readonly string[] } {
  const said: string[] = [];
  const report = ({ path, message }: { readonly path: string; readonly message: string }) => {
    said.push(`${path}: ${message}`);
  };
  return { value: readValue(value, schema, "", { holds: isEven, report, reportRule: report }), said };
}

const readable: Readonly<Record<string, readonly [value: object, expected: object]>> = {
  "fills what is absent, and inside of what it filled": [{}, {}],
  "keeps what is there": [
    { plain: 0, stanza: { inner: "" }, whole: { list: ["x"] } },
    { plain: 0, stanza: { inner: "" }, whole: { list: ["x"] } },
  ],
  "takes null as absent, in fields and in maps": [{ plain: null, word: null, map: { a: null } }, { map: {} }],
  "does not make a stanza that has no default of its own": [{ bare: {} }, { bare: { deep: true } }],
  "takes away what it does not know": [{ other: 1, stanza: { inner: "b", other: 1 } }, { stanza: { inner: "b" } }],
  "keeps what it does not know where it is to": [{ open: { other: [null] } }, { open: { other: [null] } }],
  "fills in the items of lists": [{ items: [{ name: "x" }] }, { items: [{ name: "x", kind: "plain" }] }],
  "takes numbers and texts where either will do": [{ map: { a: 1, b: "1" } }, { map: { a: 1, b: "1" } }],
};

for (const [sentence, [value, expected]] of Object.entries(readable)) {
  test(`readValue() ${sentence}`, () => {
    assert.deepEqual(read(value), { value: { ...defaults, ...expected }, said: [] });
  });
}

const wrong: Readonly<Record<string, readonly [value: object, expected: object, said: readonly string[]]>> = {
  "puts the default in place of a wrong type": [{ plain: "1" }, {}, ['plain: is "1", must be an integer']],
  "leaves out a wrong type that has no default": [{ bare: [] }, {}, ["bare: is [], must be an object"]],
  "leaves out a word that is none of those": [{ word: "c" }, {}, ['word: is "c", must be one of "a", "b"']],
  "leaves out an item without what it needs": [
    { items: [{}, { name: "x", kind: 5 }] },
    { items: [{ name: "x", kind: "plain" }] },
    ["items[0].name: is missing, must be a text", "items[1].kind: is 5, must be a text"],
  ],
  "names a null in a list": [{ items: [null] }, { items: [] }, ["items[0]: is null, must be an object"]],
  "names half a number": [{ plain: 0.5 }, {}, ["plain: is 0.5, must be an integer"]],
  "keeps what is out of bounds": [
    { plain: -1, stanza: { inner: "😀😀😀" }, map: { a: 1, b: 1, c: 1 } },
    { plain: -1, stanza: { inner: "😀😀😀" }, map: { a: 1, b: 1, c: 1 } },
    [
      "plain: is -1, must be at least 0",
      "stanza.inner: has characters: 3, must have at most 2",
      "map: has entries: 3, must have at most 2",
    ],
  ],
  "names an item that is there twice": [
    { items: [{ name: "x" }, { name: "x", kind: "y" }] },
    {
      items: [
        { name: "x", kind: "plain" },
        { name: "x", kind: "y" },
      ],
    },
    ['items: has ["x"] twice, must have it once'],
  ],
  "names a rule that does not hold, at the field that it is about": [
    { ruled: { x: 1 } },
    { ruled: { x: 1 } },
    ["ruled.x: x is even"],
  ],
  "evaluates no rule on what is wrong anyway": [
    { ruled: { x: "1" } },
    { ruled: {} },
    ['ruled.x: is "1", must be an integer'],
  ],
};

for (const [sentence, [value, expected, said]] of Object.entries(wrong)) {
  test(`readValue() ${sentence}`, () => {
    assert.deepEqual(read(value), { value: { ...defaults, ...expected }, said });
  });
}

test("readValue() shares no default", () => {
  const first = read({}).value as { whole: { list: string[] } };
  first.whole.list.push("changed");
  assert.deepEqual(read({}).value, defaults);
});

test("readValue() of what is no object at all is nothing", () => {
  assert.deepEqual(read("x"), { value: undefined, said: [': is "x", must be an object'] });
});
