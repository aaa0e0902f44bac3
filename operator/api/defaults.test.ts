import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { relayDefaults } from "./defaults.gen.ts";
import { withDefaults } from "./defaults.ts";

const node = {
  properties: {
    plain: { default: 1 },
    stanza: { default: {}, properties: { inner: { default: "a" } } },
    whole: { default: { a: 1 }, properties: { list: { default: [] } } },
    bare: { properties: { deep: { default: true } } },
  },
};

const cases: Readonly<Record<string, readonly [value: unknown, expected: unknown]>> = {
  "fills what is absent, and inside of what it filled": [
    {},
    { plain: 1, stanza: { inner: "a" }, whole: { a: 1, list: [] } },
  ],
  "keeps what is there, and what it does not know": [
    { plain: 0, stanza: { inner: "", other: 1 }, whole: { list: [1] }, unknown: null },
    { plain: 0, stanza: { inner: "", other: 1 }, whole: { list: [1] }, unknown: null },
  ],
  "takes null as absent": [{ plain: null }, { plain: 1, stanza: { inner: "a" }, whole: { a: 1, list: [] } }],
  "does not make a stanza that has no default of its own": [
    { bare: {}, plain: 2, stanza: {}, whole: {} },
    { bare: { deep: true }, plain: 2, stanza: { inner: "a" }, whole: { list: [] } },
  ],
};

for (const [sentence, [value, expected]] of Object.entries(cases)) {
  test(`withDefaults() ${sentence}`, () => {
    assert.deepEqual(withDefaults(value, node), expected);
  });
}

test("withDefaults() twice is withDefaults() once, and no default is shared", () => {
  fc.assert(
    fc.property(fc.object({ maxDepth: 3 }), (spec) => {
      const once = withDefaults({ spec }, relayDefaults);
      assert.deepEqual(withDefaults(once, relayDefaults), once);
    }),
  );
  const one = withDefaults({ spec: {} }, relayDefaults) as { spec: { nodeSelector: Record<string, string> } };
  one.spec.nodeSelector["changed"] = "yes";
  const other = withDefaults({ spec: {} }, relayDefaults) as typeof one;
  assert.deepEqual(other.spec.nodeSelector, { "kubernetes.io/os": "linux" });
});
