import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { breakPrefix, carriesResponse, goawayFrame, PingScanner } from "./frames.ts";

function frame(type: number, flags: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  return Buffer.concat([header, payload]);
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const ping = frame(6, 0, Buffer.alloc(8));
const pingAck = frame(6, 1, Buffer.alloc(8));
const settings = frame(4, 0, Buffer.alloc(12, 6));
const message = Buffer.concat([Buffer.from([0, 0, 0, 0, 3]), Buffer.from("abc")]);

test("PingScanner counts PINGs and not their ACKs, wherever the bytes are cut", () => {
  const sent = Buffer.concat([preface, settings, ping, pingAck, frame(0, 1, message), ping, ping]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: sent.length })), (cuts) => {
      const scanner = new PingScanner();
      const edges = [0, ...cuts.toSorted((a, b) => a - b), sent.length];
      const counts = edges.slice(1).map((edge, index) => scanner.scan(sent.subarray(edges[index], edge)));
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        3,
      );
    }),
  );
});

test("goawayFrame() lets open streams finish and carries code and text", () => {
  const bytes = goawayFrame({ code: 11, debug: "too_many_pings" });
  assert.equal(
    bytes.toString("hex"),
    `0000160700000000007fffffff0000000b${Buffer.from("too_many_pings").toString("hex")}`,
  );
});

test("breakPrefix() breaks the first gRPC prefix and nothing else", () => {
  const frames = Buffer.concat([settings, frame(0, 0, message), frame(0, 0, message)]);
  const at = settings.length + 9;
  const flag = breakPrefix(frames, "flag");
  const length = breakPrefix(frames, "length");
  assert.ok(flag !== undefined && length !== undefined);
  assert.deepEqual([...flag.subarray(at, at + 5)], [0xff, 0, 0, 0, 3]);
  assert.deepEqual([...length.subarray(at, at + 5)], [0, 0xff, 0xff, 0xff, 0xff]);
  assert.deepEqual(flag.subarray(at + 5), frames.subarray(at + 5));
  assert.equal(frames[at], 0, "the bytes it was given stay as they are");
  assert.equal(breakPrefix(Buffer.concat([settings, ping]), "flag"), undefined);
});

test("carriesResponse() is true of HEADERS and DATA alone", () => {
  assert.equal(carriesResponse(Buffer.concat([settings, ping])), false);
  assert.equal(carriesResponse(Buffer.concat([settings, frame(0, 0, message)])), true);
  assert.equal(carriesResponse(frame(1, 4, Buffer.alloc(3))), true);
});
