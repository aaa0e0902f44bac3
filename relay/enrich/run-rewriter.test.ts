import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeFrame, framePrefixBytes } from "../wire/frame-cutter.ts";
import { type AddedField, fieldBytes, RunRewriter } from "./run-rewriter.ts";
import { encodeField, messagesIn } from "./testing/events.ts";

const name: AddedField = { number: 3, text: Buffer.from("west"), suffix: undefined };

/** Puts the field behind the messages that `chosen` names. */
function rewrite(rewriter: RunRewriter, messages: readonly Buffer[], chosen: ReadonlySet<number>): Buffer {
  rewriter.begin(Buffer.concat(messages.map(encodeFrame)));
  let at = 0;
  for (const [index, message] of messages.entries()) {
    const start = at + framePrefixBytes;
    at = start + message.length;
    if (chosen.has(index)) rewriter.extend(start, at, [name]);
  }
  return rewriter.end();
}

test("RunRewriter puts fields behind the messages it is told to, whatever the sizes", () => {
  const rewriter = new RunRewriter();
  const added = encodeField(3, "west");
  const size = fc.oneof(fc.nat(300), fc.nat(150_000), fc.constantFrom(0, 131_062, 131_072, 600_000));
  fc.assert(
    fc.property(fc.array(fc.tuple(size, fc.boolean()), { maxLength: 6 }), (given) => {
      const messages = given.map(([bytes], at) => Buffer.alloc(bytes, at + 1));
      const chosen = new Set(given.flatMap(([, isChosen], at) => (isChosen ? [at] : [])));
      const expected = messages.map((message, at) => (chosen.has(at) ? Buffer.concat([message, added]) : message));
      // Compared as a whole: a difference of megabytes is not worth printing.
      const run = rewrite(rewriter, messages, chosen);
      assert.ok(run.equals(Buffer.concat(expected.map(encodeFrame))));
    }),
    { numRuns: 300 },
  );
});

test("RunRewriter uses its buffer again, but not one that a large run made large", () => {
  const rewriter = new RunRewriter();
  const rewritten = (bytes: number) => rewrite(rewriter, [Buffer.alloc(bytes)], new Set([0])).buffer;
  assert.equal(rewritten(100), rewritten(1000));
  const large = rewritten(2 << 20);
  assert.notEqual(rewritten(100), large);
});

test("RunRewriter writes numbers and lengths of several bytes", () => {
  const rewriter = new RunRewriter();
  const field: AddedField = { number: 16, text: Buffer.alloc(200, "a"), suffix: Buffer.alloc(16_300, "b") };
  rewriter.begin(encodeFrame(Buffer.alloc(0)));
  rewriter.extend(framePrefixBytes, framePrefixBytes, [field]);
  const [message = assert.fail()] = messagesIn(rewriter.end());
  // 16 * 8 + 2 = 0x82 0x01; 16,500 = 0xf4 0x80 0x01.
  assert.deepEqual([...message.subarray(0, 5)], [0x82, 0x01, 0xf4, 0x80, 0x01]);
  assert.equal(message.toString("latin1", 5), "a".repeat(200) + "b".repeat(16_300));
  assert.equal(fieldBytes(field), message.length);
});
