import assert from "node:assert/strict";
import { test } from "node:test";
import { Exposition, labelText } from "./exposition.ts";

test("Exposition.add() writes a family with its samples, and leaves out one without", () => {
  const exposition = new Exposition();
  exposition.add({ name: "a_total", type: "counter", help: "What a is" }, (emit) => {
    emit('feed="x"', 1);
    emit('feed="y"', 2.5);
  });
  exposition.add({ name: "none", type: "gauge", help: "Never" }, () => {});
  exposition.add({ name: "b", type: "gauge", help: String.raw`C:\temp` + "\nnext" }, (emit) => emit("", -0.001));
  assert.deepEqual(exposition.toString().split("\n"), [
    "# HELP a_total What a is",
    "# TYPE a_total counter",
    'a_total{feed="x"} 1',
    'a_total{feed="y"} 2.5',
    String.raw`# HELP b C:\\temp\nnext`,
    "# TYPE b gauge",
    "b -0.001",
    "",
  ]);
});

const numbers: Record<string, number> = {
  "0": 0,
  "9007199254740991": Number.MAX_SAFE_INTEGER,
  "1e+21": 1e21,
  "+Inf": Number.POSITIVE_INFINITY,
  "-Inf": Number.NEGATIVE_INFINITY,
  NaN: Number.NaN,
};
for (const [text, value] of Object.entries(numbers)) {
  test(`Exposition.add() writes ${text} as Go reads it`, () => {
    const exposition = new Exposition();
    exposition.add({ name: "a", type: "gauge", help: "h" }, (emit) => emit("", value));
    assert.equal(exposition.toString().split("\n").at(-2), `a ${text}`);
  });
}

test("labelText() escapes what would end a value", () => {
  assert.equal(labelText({ a: 'say "hi"\n', b: "c:\\" }), String.raw`a="say \"hi\"\n",b="c:\\"`);
  assert.equal(labelText({}), "");
});
