import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FrameCutter, FramingError, encodeFrame } from "./frame-cutter.ts";

const maxMessageBytes = 1000;

function cutAll(chunks: readonly Buffer[]): { bytes: Buffer; events: number; runs: number; cutter: FrameCutter } {
  const runs: Buffer[] = [];
  let events = 0;
  const cutter = new FrameCutter({ maxMessageBytes }, (run, count) => {
    runs.push(Buffer.from(run));
    events += count;
  });
  for (const chunk of chunks) {
    // The buffer it lies in is used again.
    const lent = Buffer.from(chunk);
    cutter.push(lent);
    lent.fill(0xff);
  }
  return { bytes: Buffer.concat(runs), events, runs: runs.length, cutter };
}

test("FrameCutter hands on every frame, once and in order, under every split of the byte stream", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }),
      fc.array(fc.nat({ max: 900 }), { maxLength: 30 }),
      (messages, cuts) => {
        const stream = Buffer.concat(messages.map((message) => encodeFrame(message)));
        const positions = [...new Set([0, ...cuts.map((cut) => Math.min(cut, stream.length)), stream.length])].toSorted(
          (a, b) => a - b,
        );
        const chunks = positions.slice(1).map((end, index) => stream.subarray(positions[index], end));
        const { bytes, events, cutter } = cutAll(chunks);
        assert.deepEqual(bytes, stream);
        assert.equal(events, messages.length);
        assert.equal(cutter.pendingBytes, 0);
        cutter.end();
      },
    ),
    { numRuns: 500 },
  );
});

test("FrameCutter hands on all frames of one chunk as one run, without a copy", () => {
  const chunk = Buffer.concat([
    encodeFrame(Buffer.from("a")),
    encodeFrame(Buffer.from("bc")),
    encodeFrame(Buffer.alloc(0)),
  ]);
  let taken: Buffer | undefined;
  new FrameCutter({ maxMessageBytes }, (run) => {
    taken = run;
  }).push(chunk);
  assert.deepEqual([taken?.buffer, taken?.byteOffset, taken?.length], [chunk.buffer, chunk.byteOffset, chunk.length]);
});

test("FrameCutter takes a message of the maximum and refuses one byte more, in one chunk or byte by byte", () => {
  for (const size of [maxMessageBytes, maxMessageBytes + 1]) {
    const whole = encodeFrame(Buffer.alloc(size, 7));
    for (const chunks of [[whole], Array.from(whole, (byte) => Buffer.of(byte))]) {
      if (size === maxMessageBytes) assert.equal(cutAll(chunks).events, 1);
      else assert.throws(() => cutAll(chunks), { name: "FramingError", fault: "too-large" });
    }
  }
});

test("FrameCutter hands on what came before a compressed message, then refuses it", () => {
  const good = encodeFrame(Buffer.from("good"));
  const bad = encodeFrame(Buffer.from("bad"));
  bad[0] = 1;
  let events = 0;
  const cutter = new FrameCutter({ maxMessageBytes }, (_, count) => {
    events += count;
  });
  assert.throws(() => cutter.push(Buffer.concat([good, bad])), { name: "FramingError", fault: "compressed" });
  assert.equal(events, 1);
});

test("FrameCutter.end() reports a stream that ends inside a frame", () => {
  const { cutter } = cutAll([encodeFrame(Buffer.from("cut short")).subarray(0, 7)]);
  assert.throws(() => cutter.end(), FramingError);
});
