import assert from "node:assert/strict";
import { test } from "node:test";
import { parseQuantity } from "./quantity.ts";

const equal: readonly (readonly [string, string | number])[] = [
  ["1000m", "1"],
  ["0.5", "500m"],
  ["128Mi", "134217728"],
  ["1Ki", 1024],
  ["1.0", 1],
  ["1e3", "1k"],
  ["1E3", "1000"],
  ["1.5Gi", "1536Mi"],
  ["-1", "-1000m"],
  [".5", "0.5"],
  ["1E", "1000P"],
  ["0.1n", "1n"],
];

for (const [left, right] of equal) {
  test(`parseQuantity() reads ${left} and ${right} as one value`, () => {
    assert.notEqual(parseQuantity(left), undefined);
    assert.equal(parseQuantity(left), parseQuantity(right));
  });
}

test("parseQuantity() tells different values apart", () => {
  assert.notEqual(parseQuantity("1Mi"), parseQuantity("1M"));
  assert.notEqual(parseQuantity("1m"), parseQuantity("1M"));
});

test("parseQuantity() refuses what is no quantity", () => {
  for (const text of ["", "m", ".", "1 Mi", "1ki", "abc", "1.2.3"]) assert.equal(parseQuantity(text), undefined, text);
});
