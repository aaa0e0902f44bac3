import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MessageReader } from "./message-reader.ts";
import { RequestBudget } from "./request-budget.ts";
import { Code, StatusError } from "./status.ts";

function frame(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

test("MessageReader.push() gives the same messages however the body is split", () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });
  const cuts = fc.array(fc.nat(300), { maxLength: 12 });
  fc.assert(
    fc.property(bodies, cuts, (messages, at) => {
      const body = Buffer.concat(messages.map(frame));
      const ends = [...at.filter((cut) => cut < body.length).toSorted((a, b) => a - b), body.length];
      const reader = new MessageReader(plenty());
      const read = ends.flatMap((end, index) => reader.push(body.subarray(ends[index - 1] ?? 0, end)));
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
      const body = frame(message);
      fc.pre(cut > 0 && cut < body.length);
      const reader = new MessageReader(plenty());
      assert.deepEqual(reader.push(body.subarray(0, cut)), []);
      assert.throws(() => reader.end(), withCode(Code.UNKNOWN));
    }),
  );
});

test("MessageReader.push() refuses an oversized message at its prefix, before its bytes", () => {
  const reader = new MessageReader(plenty(), 10);
  assert.throws(() => reader.push(Buffer.from([0, 0, 0, 0, 11])), withCode(Code.RESOURCE_EXHAUSTED));
  assert.equal(new MessageReader(plenty(), 10).push(frame(Buffer.alloc(10))).length, 1);
});

test("MessageReader.push() refuses compressed messages", () => {
  assert.throws(() => new MessageReader(plenty()).push(Buffer.from([1, 0, 0, 0, 0])), withCode(Code.INTERNAL));
});

test("MessageReader.push() keeps no view of the chunks", () => {
  const chunk = frame(Buffer.from([1, 2, 3]));
  const [message] = new MessageReader(plenty()).push(chunk);
  chunk.fill(9);
  assert.deepEqual(message, Buffer.from([1, 2, 3]));
});

test("MessageReader takes what it holds from its budget, and gives it back", () => {
  const budget = new RequestBudget(100);
  const first = new MessageReader(budget);
  const second = new MessageReader(budget);
  first.push(Buffer.from([0, 0, 0, 0, 90, ...Buffer.alloc(65)]));
  assert.equal(budget.takenBytes, 70);
  assert.throws(() => second.push(Buffer.alloc(40)), withCode(Code.RESOURCE_EXHAUSTED));
  first.release();
  assert.equal(budget.takenBytes, 0);
  assert.equal(second.push(Buffer.alloc(40)).length, 8);
  second.release();
  assert.equal(budget.takenBytes, 0);
});

function plenty(): RequestBudget {
  return new RequestBudget(Infinity);
}

function withCode(code: Code): (error: unknown) => boolean {
  return (error) => error instanceof StatusError && error.code === code;
}
