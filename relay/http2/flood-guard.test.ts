import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "./errors.ts";
import { encodeFrame, encodeRstStream, encodeWindowUpdate, Flag, FrameType } from "./frame.ts";
import { data, greeting, headers, okHead, ScriptedPeer } from "./scripted-peer.ts";

const nothing = Buffer.alloc(0);
const goaway = encodeFrame(FrameType.goaway, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]));
const interim = headers(1, [[":status", "103"]]);

/** Stream 1 waits for its head, stream 3 has got it, and stream 5 is closed. */
function scene(): ScriptedPeer {
  const peer = new ScriptedPeer();
  for (let requests = 0; requests < 3; requests++) peer.request();
  peer.say(Buffer.concat([greeting, headers(3, okHead), encodeRstStream(5, ErrorCode.CANCEL)]));
  return peer;
}

function say(peer: ScriptedPeer, frame: Buffer, times: number): void {
  peer.say(Buffer.concat(Array.from({ length: times }, () => frame)));
}

/** The same HEADERS frame of stream 1 as two frames. */
function split(frame: Buffer): Buffer {
  const [head, tail] = [frame.subarray(9, 100), frame.subarray(100)];
  return Buffer.concat([
    encodeFrame(FrameType.headers, 0, 1, head),
    encodeFrame(FrameType.continuation, Flag.endHeaders, 1, tail),
  ]);
}

const frames: Record<string, Buffer> = {
  "interim responses": interim,
  SETTINGS: greeting,
  "acknowledgements of SETTINGS": encodeFrame(FrameType.settings, Flag.ack, 0, nothing),
  PING: encodeFrame(FrameType.ping, 0, 0, Buffer.alloc(8)),
  "answers to PING": encodeFrame(FrameType.ping, Flag.ack, 0, Buffer.alloc(8)),
  "resets of a closed stream": encodeRstStream(5, ErrorCode.CANCEL),
  PRIORITY: encodeFrame(FrameType.priority, 0, 1, Buffer.alloc(5)),
  GOAWAY: goaway,
  "updates of the connection's window": encodeWindowUpdate(0, 1),
  "updates of a stream's window": encodeWindowUpdate(1, 1),
  "frames that are not known": encodeFrame(0x77, 0, 0, nothing),
  "DATA without content": data(3, nothing),
};
for (const [what, frame] of Object.entries(frames)) {
  test(`FloodGuard ends the connection for more than a thousand ${what} at once`, () => {
    const peer = scene();
    // What the scene took of the thousand.
    say(peer, frame, 1_000 - 3);
    assert.deepEqual([peer.over], [undefined]);
    peer.say(frame);
    assert.match(peer.over?.message ?? "", /^More than 1000 frames without content .*ENHANCE_YOUR_CALM/);
    assert.equal(peer.goawayCode, ErrorCode.ENHANCE_YOUR_CALM);
    assert.deepEqual(peer.told.get(1), ["lost"]);
  });

  test(`FloodGuard lets 300 ${what} a second pass for an hour`, () => {
    const peer = scene();
    for (let seconds = 0; seconds < 3_600; seconds += 1) {
      say(peer, frame, 300);
      peer.clock.advance(1_000);
      // So that what this peer keeps for the test does not grow.
      peer.written.length = 0;
    }
    assert.equal(peer.over, undefined);
    say(peer, frame, 1_001);
    assert.equal(peer.goawayCode, ErrorCode.ENHANCE_YOUR_CALM);
  });
}

test("FloodGuard ends the connection for header blocks that are many, or for nobody, or more than is taken", () => {
  const large = headers(1, [
    [":status", "103"],
    ["a", "b".repeat(2_000)],
  ]);
  const floods = [
    { frame: large, passing: 129, reason: /^More than 262144 bytes of header blocks/ },
    { frame: split(large), passing: 129, reason: /^More than 262144 bytes of header blocks/ },
    { frame: headers(5, okHead), passing: 90, reason: /^More than 1000 frames/ },
    { frame: headers(5, [["a", "b".repeat(5_000)]]), passing: 8, reason: /^More than 1000 frames/ },
  ];
  for (const { frame, passing, reason } of floods) {
    const peer = scene();
    say(peer, frame, passing);
    assert.deepEqual([peer.over], [undefined]);
    say(peer, frame, 2);
    assert.match(peer.over?.message ?? "", reason);
    assert.equal(peer.goawayCode, ErrorCode.ENHANCE_YOUR_CALM);
  }
});

test("FloodGuard lets content pass, however much of it comes at once", () => {
  const peer = scene();
  say(peer, data(3, Buffer.of(1)), 5_000);
  assert.equal(peer.over, undefined);
  assert.equal(peer.told.get(3)?.at(-1)?.length, "data ".length + 10_000);
});

test("FloodGuard counts what came before a violation as it came", () => {
  const peer = scene();
  peer.say(Buffer.concat([data(3, Buffer.from("kept")), ...Array.from({ length: 1_000 }, () => interim)]));
  assert.deepEqual(peer.told.get(3)?.slice(1), ["data 6b657074", "lost"]);
});
