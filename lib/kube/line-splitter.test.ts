import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LineSplitter } from "./line-splitter.ts";

const line = fc.string({ unit: "binary", maxLength: 20 }).map((text) => text.replaceAll("\n", ""));

test("LineSplitter gives the same lines however the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(line), line, fc.array(fc.nat(200)), (lines, rest, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join("") + rest);
      const splitter = new LineSplitter();
      const found: string[] = [];
      let start = 0;
      for (const cut of cuts) {
        found.push(...splitter.push(bytes.subarray(start, start + cut)));
        start += cut;
      }
      found.push(...splitter.push(bytes.subarray(start)));
      assert.deepEqual(
        found,
        lines.filter((text) => text !== "").map((text) => Buffer.from(text).toString()),
      );
      assert.equal(splitter.pendingBytes, Buffer.byteLength(rest));
    }),
  );
});

test("LineSplitter.push() throws when a line has no end within the limit", () => {
  const splitter = new LineSplitter(10);
  splitter.push(Buffer.from("0123456789"));
  assert.throws(() => splitter.push(Buffer.from("x")), RangeError);
});
