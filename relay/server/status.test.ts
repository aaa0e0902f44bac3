import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeMessage } from "./status.ts";

const cases: Record<string, [string, string]> = {
  "printable ASCII stays": ["unknown service a.B (c) ~!", "unknown service a.B (c) ~!"],
  "percent is encoded": ["100%", "100%25"],
  "line ends are encoded": ["a\r\nb", "a%0D%0Ab"],
  "other text is encoded as UTF-8": ["für 世", "f%C3%BCr %E4%B8%96"],
  "nothing stays nothing": ["", ""],
};

for (const [criterion, [message, encoded]] of Object.entries(cases)) {
  test(`encodeMessage(): ${criterion}`, () => assert.equal(encodeMessage(message), encoded));
}

test("encodeMessage() makes a header value that decodes to the message", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (message) => {
      const encoded = encodeMessage(message);
      assert.match(encoded, /^[ -~]*$/);
      assert.equal(decodeURIComponent(encoded), message);
    }),
  );
});
