import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeFrame } from "../wire/frame-cutter.ts";
import { MessageBudget } from "./message-budget.ts";
import { MessageReader } from "./message-reader.ts";
import { Code, StatusError } from "./status.ts";

test("MessageReader.next() gives the same messages however the body is split", () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });
  const cuts = fc.array(fc.nat(300), { maxLength: 12 });
  fc.assert(
    fc.property(bodies, cuts, (messages, at) => {
      const body = Buffer.concat(messages.map(encodeFrame));
      const ends = [...at.filter((cut) => cut < body.length).toSorted((a, b) => a - b), body.length];
      const reader = new MessageReader(plenty());
      const read = ends.flatMap((end, index) => messagesIn(reader, body.subarray(ends[index - 1] ?? 0, end)));
      reader.end();
      assert.deepEqual(
        read,
        messages.map((message) => Buffer.from(message)),
      );
    }),
  );
});

test("MessageReader.end() fails in the middle of a message", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), fc.nat(23), (message, cut) => {
      const body = encodeFrame(message);
      fc.pre(cut > 0 && cut < body.length);
      const reader = new MessageReader(plenty());
      assert.deepEqual(messagesIn(reader, body.subarray(0, cut)), []);
      assert.throws(() => reader.end(), withCode(Code.UNKNOWN));
    }),
  );
});

test("MessageReader.next() refuses an oversized message at its prefix, before its bytes", () => {
  const reader = new MessageReader(plenty(), 10);
  assert.throws(() => messagesIn(reader, Buffer.from([0, 0, 0, 0, 11])), withCode(Code.RESOURCE_EXHAUSTED));
  assert.equal(messagesIn(new MessageReader(plenty(), 10), encodeFrame(Buffer.alloc(10))).length, 1);
});

test("MessageReader.next() refuses compressed messages", () => {
  assert.throws(() => messagesIn(new MessageReader(plenty()), Buffer.from([1, 0, 0, 0, 0])), withCode(Code.INTERNAL));
});

test("MessageReader.next() keeps no view of the chunks", () => {
  const chunk = encodeFrame(Buffer.from([1, 2, 3]));
  const [message] = messagesIn(new MessageReader(plenty()), chunk);
  chunk.fill(9);
  assert.deepEqual(message, Buffer.from([1, 2, 3]));
});

test("MessageReader takes what it holds from its budget, and gives it back", () => {
  const budget = new MessageBudget(100);
  const first = new MessageReader(budget);
  const second = new MessageReader(budget);
  first.push(Buffer.from([0, 0, 0, 0, 90, ...Buffer.alloc(65)]));
  assert.equal(budget.takenBytes, 70);
  assert.throws(() => second.push(Buffer.alloc(40)), withCode(Code.RESOURCE_EXHAUSTED));
  first.release();
  assert.equal(budget.takenBytes, 0);
  // Eight whole messages: nothing is left to hold.
  assert.equal(messagesIn(second, Buffer.alloc(40)).length, 8);
  assert.equal(budget.takenBytes, 0);
});

function messagesIn(reader: MessageReader, chunk: Buffer): readonly Buffer[] {
  reader.push(chunk);
  const messages: Buffer[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) messages.push(next);
  return messages;
}

function plenty(): MessageBudget {
  return new MessageBudget(Infinity);
}

function withCode(code: Code): (error: unknown) => boolean {
  return (error) => error instanceof StatusError && error.code === code;
}
