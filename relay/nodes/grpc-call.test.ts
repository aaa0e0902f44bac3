import assert from "node:assert/strict";
import { test } from "node:test";
import { endOfResponse, endOfTrailers } from "./grpc-call.ts";

const messages: Record<string, { encoded: string; read: string }> = {
  "as it is": { encoded: "shutting down", read: "UNAVAILABLE shutting down" },
  "percent-encoded, in either case": { encoded: "50%25 of K%c3%B6ln", read: "UNAVAILABLE 50% of Köln" },
  "with a percent sign that encodes nothing": { encoded: "100% %zz %2", read: "UNAVAILABLE 100% %zz %2" },
  "in several lines": { encoded: "a%0D%0Ab%00", read: "UNAVAILABLE a  b " },
  "that is no UTF-8": { encoded: "%ff", read: "UNAVAILABLE \ufffd" },
};
for (const [sentence, { encoded, read }] of Object.entries(messages)) {
  test(`endOfTrailers() reads a message ${sentence}`, () => {
    const trailers = new Map([
      ["grpc-status", "14"],
      ["grpc-message", encoded],
    ]);
    assert.deepEqual(endOfTrailers(trailers), { kind: "status", code: 14, message: read });
  });
}

test("endOfTrailers() and endOfResponse() keep a kibibyte of what an agent says", () => {
  const long = "🙂".repeat(10_000);
  const encoded = [...Buffer.from(long)].map((byte) => `%${byte.toString(16)}`).join("");
  const end = endOfTrailers(
    new Map([
      ["grpc-status", "2"],
      ["grpc-message", encoded],
    ]),
  );
  assert.equal(end?.message, `UNKNOWN ${"🙂".repeat(508)}`);
  const page = new Map([
    [":status", "200"],
    ["content-type", "x".repeat(10_000)],
  ]);
  assert.equal(endOfResponse(page)?.message.length, 1_024);
  assert.equal(endOfTrailers(new Map([["grpc-status", "9".repeat(10_000)]]))?.message.length, 1_024);
});
