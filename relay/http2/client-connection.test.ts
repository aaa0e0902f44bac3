import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import type { ClientStream } from "./client-stream.ts";
import { ErrorCode, type ErrorName } from "./errors.ts";
import { encodeFrame, encodeGoaway, encodeRstStream, encodeWindowUpdate, Flag, FrameType } from "./frame.ts";
import type { Field } from "./hpack-static-table.ts";
import { data, greeting, headers, okHead, ScriptedPeer } from "./scripted-peer.ts";
import { encodeSettings, Setting } from "./settings.ts";

const endHeaders: number = Flag.endHeaders;
const trailers: readonly Field[] = [["grpc-status", "0"]];

function greetedPeer(...options: ConstructorParameters<typeof ScriptedPeer>): ScriptedPeer {
  const peer = new ScriptedPeer(...options);
  peer.say(greeting);
  return peer;
}

function goaway(lastStreamId: number, code: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(lastStreamId);
  payload.writeUInt32BE(code, 4);
  return encodeFrame(FrameType.goaway, 0, 0, payload);
}

function settings(id: number, value: number): Buffer {
  return encodeFrame(FrameType.settings, 0, 0, encodeSettings([[id, value]]));
}

const fragment = (streamId: number, flags = 0) => encodeFrame(FrameType.headers, flags, streamId, Buffer.of(0x88));
const continuation = (streamId: number, flags = 0) =>
  encodeFrame(FrameType.continuation, flags, streamId, Buffer.alloc(0));

test("ClientConnection tells of a response what it holds, in order", () => {
  const peer = greetedPeer();
  peer.request();
  peer.say(Buffer.concat([headers(1, okHead), data(1, Buffer.from("ab")), data(1, Buffer.from("c"))]));
  peer.say(headers(1, trailers, Flag.endHeaders | Flag.endStream));
  assert.deepEqual(peer.told.get(1), ["head :status 200", "data 616263", "trailers grpc-status 0", "complete"]);
});

test("ClientConnection hands on the frames of a stream that come in one read as one run", () => {
  const peer = greetedPeer();
  const runs: string[] = [];
  const handler = {
    onHead() {},
    onData: (bytes: Buffer) => runs.push(bytes.toString()),
    onTrailers() {},
    onClose() {},
  };
  peer.connection.request([], Buffer.alloc(0), handler);
  peer.request();
  const some = Buffer.concat(["a", "bc", "def"].map((text) => data(1, Buffer.from(text))));
  peer.say(Buffer.concat([headers(1, okHead), headers(3, okHead), some, data(3, Buffer.from("other")), some]));
  assert.deepEqual(runs, ["abcdef", "abcdef"]);
  assert.deepEqual(peer.told.get(3), ["head :status 200", "data 6f74686572"]);
});

test("ClientConnection reads values without the blanks around them", () => {
  const peer = greetedPeer();
  peer.request();
  peer.say(headers(1, okHead));
  const blanks: readonly Field[] = [
    ["grpc-message", " \tends in a blank "],
    ["empty", " ".repeat(1_000)],
  ];
  peer.say(headers(1, blanks, Flag.endHeaders | Flag.endStream));
  assert.deepEqual(peer.told.get(1)?.slice(1), ["trailers grpc-message ends in a blank empty ", "complete"]);
});

test("ClientConnection ends a response that is its head alone, or whose last DATA says so", () => {
  const peer = greetedPeer();
  peer.request();
  peer.request();
  peer.say(headers(1, [...okHead, ...trailers], Flag.endHeaders | Flag.endStream));
  peer.say(Buffer.concat([headers(3, okHead), data(3, Buffer.from("x"), Flag.endStream)]));
  assert.deepEqual(peer.told.get(1), ["head :status 200 grpc-status 0", "complete"]);
  assert.deepEqual(peer.told.get(3), ["head :status 200", "data 78", "complete"]);
});

test("ClientConnection passes over interim responses, padding, priorities, and frames that it does not know", () => {
  const peer = greetedPeer();
  peer.request();
  const head = headers(1, okHead).subarray(9);
  const padded = Buffer.concat([Buffer.of(2, 0, 0, 0, 0, 7), head, Buffer.alloc(2)]);
  peer.say(
    Buffer.concat([
      headers(1, [[":status", "103"]]),
      encodeFrame(0xfe, 0xff, 1, Buffer.from("unknown")),
      encodeFrame(FrameType.priority, 0, 9, Buffer.alloc(5)),
      encodeFrame(FrameType.headers, Flag.endHeaders | Flag.padded | Flag.priority, 1, padded),
      data(1, Buffer.of(3, 0x78, 0, 0, 0), Flag.padded),
      data(1, Buffer.of(0), Flag.padded | Flag.endStream),
    ]),
  );
  assert.deepEqual(peer.told.get(1), ["head :status 200", "data 78", "complete"]);
});

test("ClientConnection answers PING and SETTINGS in the turn they come, and neither's answer", () => {
  const peer = greetedPeer();
  const before = peer.written.length;
  peer.say(
    Buffer.concat([
      encodeFrame(FrameType.ping, 0, 0, Buffer.from("12345678")),
      encodeFrame(FrameType.ping, Flag.ack, 0, Buffer.alloc(8)),
      settings(0x99, 7),
      encodeFrame(FrameType.settings, Flag.ack, 0, Buffer.alloc(0)),
    ]),
  );
  assert.deepEqual(
    peer.written.slice(before).map(({ type, flags, payload }) => [type, flags, payload.toString()]),
    [
      [FrameType.ping, Flag.ack, "12345678"],
      [FrameType.settings, Flag.ack, ""],
    ],
  );
});

test("ClientConnection opens its windows again when half is used, padding included, and never for a stream that is over", () => {
  const peer = greetedPeer({ streamWindowBytes: 1_000, connectionWindowBytes: 70_000 });
  peer.request();
  peer.say(headers(1, okHead));
  peer.say(data(1, Buffer.alloc(499)));
  const updates = () =>
    peer.written
      .filter(({ type }) => type === FrameType.windowUpdate)
      .slice(1)
      .map(({ streamId, payload }) => [streamId, payload.readUInt32BE()]);
  assert.deepEqual(updates(), []);
  peer.say(data(1, Buffer.of(0), Flag.padded));
  assert.deepEqual(updates(), [[1, 500]]);
  peer.say(encodeRstStream(1, ErrorCode.CANCEL));
  for (let frames = 0; frames < 3; frames++) peer.say(data(1, Buffer.alloc(16_000)));
  assert.deepEqual(
    updates().slice(1),
    [[0, 48_500]].filter(() => 48_500 * 2 >= 70_000),
  );
});

test("ClientConnection sends no more of a request than the windows allow, and the rest when they open", () => {
  const peer = new ScriptedPeer();
  peer.say(settings(Setting.initialWindowSize, 3));
  const body = Buffer.from("0123456789");
  const stream = peer.request(body);
  const sent = () =>
    peer.written
      .filter(({ type }) => type === FrameType.data)
      .map(({ payload, flags }) => `${payload.toString()} ${flags}`);
  assert.deepEqual(sent(), ["012 0"]);
  peer.say(encodeWindowUpdate(stream.id, 2));
  peer.say(settings(Setting.initialWindowSize, 0));
  peer.say(encodeWindowUpdate(stream.id, 2));
  assert.deepEqual(sent(), ["012 0", "34 0"]);
  peer.say(settings(Setting.initialWindowSize, 1_000));
  assert.deepEqual(sent(), ["012 0", "34 0", "56789 1"]);
});

test("ClientConnection sends no more of its requests together than the connection's window allows", () => {
  const peer = new ScriptedPeer();
  peer.say(settings(Setting.initialWindowSize, 100_000));
  const sentBytes = () =>
    peer.written.filter(({ type }) => type === FrameType.data).reduce((sum, { payload }) => sum + payload.length, 0);
  peer.request(Buffer.alloc(40_000));
  peer.request(Buffer.alloc(40_000));
  assert.equal(sentBytes(), 65_535);
  peer.say(encodeWindowUpdate(0, 10_000));
  assert.equal(sentBytes(), 75_535);
  peer.say(encodeWindowUpdate(0, 10_000));
  assert.equal(sentBytes(), 80_000);
});

test("ClientConnection gives a request up whose response is complete before it is sent", () => {
  const peer = new ScriptedPeer();
  peer.say(settings(Setting.initialWindowSize, 0));
  peer.request();
  peer.say(headers(1, okHead, Flag.endHeaders | Flag.endStream));
  assert.equal(peer.resetCode(1), ErrorCode.CANCEL);
  assert.deepEqual(peer.told.get(1), ["head :status 200", "complete"]);
});

test("ClientConnection.cancel() resets a stream once, and what still comes of it is dropped", () => {
  const peer = greetedPeer();
  const stream = peer.request();
  peer.request();
  peer.say(encodeFrame(FrameType.headers, endHeaders, 1, Buffer.of(0x88)));
  peer.connection.cancel(stream);
  peer.connection.cancel(stream);
  // The block adds to the table that the next one refers to.
  const add = Buffer.concat([Buffer.of(0x88, 0x40, 1, 0x61, 1, 0x62)]);
  peer.say(
    Buffer.concat([
      data(1, Buffer.from("late")),
      encodeFrame(FrameType.headers, endHeaders | Flag.endStream, 1, add),
      encodeRstStream(1, ErrorCode.NO_ERROR),
      encodeWindowUpdate(1, 5),
      encodeFrame(FrameType.headers, endHeaders, 3, Buffer.of(0x88, 0xbe)),
    ]),
  );
  assert.equal(peer.written.filter(({ type }) => type === FrameType.rstStream).length, 1);
  assert.equal(peer.resetCode(1), ErrorCode.CANCEL);
  assert.deepEqual(peer.told.get(1), ["head :status 200", "cancelled"]);
  assert.deepEqual(peer.told.get(3), ["head :status 200 a b"]);
  assert.equal(peer.over, undefined);
});

test("ClientConnection.refusal says when there is no room for a stream", () => {
  const peer = new ScriptedPeer();
  peer.say(settings(Setting.maxConcurrentStreams, 1));
  assert.equal(peer.connection.refusal, undefined);
  peer.request();
  assert.match(peer.connection.refusal ?? "", /At most 1 streams/);
  peer.say(encodeRstStream(1, ErrorCode.REFUSED_STREAM));
  assert.deepEqual(peer.told.get(1), ["reset REFUSED_STREAM (7)"]);
  assert.equal(peer.connection.refusal, undefined);
});

test("ClientConnection lives on after GOAWAY until the last stream that the peer took has ended", () => {
  const peer = greetedPeer();
  peer.request();
  peer.request();
  peer.say(goaway(0x7fff_ffff, ErrorCode.NO_ERROR));
  assert.deepEqual([peer.connection.isUsable, peer.over, peer.goaways], [false, undefined, [0]]);
  peer.say(goaway(1, ErrorCode.NO_ERROR));
  assert.deepEqual([peer.told.get(1), peer.told.get(3)], [[], ["unprocessed"]]);
  peer.say(Buffer.concat([headers(1, okHead), data(1, Buffer.from("x"), Flag.endStream)]));
  assert.deepEqual(peer.told.get(1), ["head :status 200", "data 78", "complete"]);
  assert.match(peer.over?.message ?? "", /The other side ended the connection/);
});

const lastEnds: Record<string, (peer: ScriptedPeer, stream: ClientStream) => void> = {
  "the peer resets it": (peer) => peer.say(encodeRstStream(1, ErrorCode.CANCEL)),
  "it is cancelled": (peer, stream) => peer.connection.cancel(stream),
  "its response is malformed": (peer) => peer.say(headers(1, [[":status", "2xx"]])),
};
for (const [sentence, end] of Object.entries(lastEnds)) {
  test(`ClientConnection is over after GOAWAY when ${sentence}, the last stream that the peer took`, () => {
    const peer = greetedPeer();
    const stream = peer.request();
    peer.say(goaway(1, ErrorCode.NO_ERROR));
    assert.deepEqual([peer.over, peer.told.get(1)], [undefined, []]);
    end(peer, stream);
    assert.match(peer.over?.message ?? "", /The other side ended the connection/);
    assert.equal(peer.goawayCode, ErrorCode.NO_ERROR);
  });
}

test("ClientConnection passes over the reserved bits of streams and numbers", () => {
  const reserved = 0x8000_0000;
  const peer = greetedPeer();
  peer.request();
  peer.request();
  peer.say(headers(reserved + 1, okHead));
  peer.say(data(reserved + 1, Buffer.from("x")));
  peer.say(encodeWindowUpdate(0, reserved + 5));
  peer.say(encodeWindowUpdate(1, reserved + 5));
  assert.deepEqual(peer.told.get(1), ["head :status 200", "data 78"]);
  peer.say(goaway(reserved + 1, ErrorCode.NO_ERROR));
  assert.deepEqual([peer.told.get(3), peer.over], [["unprocessed"], undefined]);
});

test("ClientConnection takes a header block of nine frames, and no more", () => {
  for (const [continuations, isTaken] of [
    [8, true],
    [9, false],
  ] as const) {
    const peer = greetedPeer();
    peer.request();
    const middle = Array.from({ length: continuations - 1 }, () => continuation(1));
    peer.say(Buffer.concat([fragment(1), ...middle, continuation(1, Flag.endHeaders)]));
    assert.deepEqual(peer.told.get(1), [isTaken ? "head :status 200" : "lost"]);
    assert.equal(peer.over?.message, isTaken ? undefined : "Header block in more than 9 frames (ENHANCE_YOUR_CALM)");
  }
});

test("ClientConnection reads a text that is longer than a frame", () => {
  const peer = greetedPeer({ maxHeaderListBytes: 65_536 });
  peer.request();
  const text = "t".repeat(20_000);
  const block = headers(1, [...okHead, ["a", text]]).subarray(9);
  peer.say(encodeFrame(FrameType.headers, 0, 1, block.subarray(0, 16_000)));
  peer.say(encodeFrame(FrameType.continuation, Flag.endHeaders, 1, block.subarray(16_000)));
  assert.deepEqual(peer.told.get(1), [`head :status 200 a ${text}`]);
});

test("ClientConnection keeps nothing of a stream that is over", async () => {
  const peer = greetedPeer();
  // In a function of its own, whose stack is gone afterwards.
  const use = () => {
    const handler = { onHead() {}, onData() {}, onTrailers() {}, onClose() {} };
    const stream = peer.connection.request([], Buffer.alloc(0), handler);
    peer.say(Buffer.concat([headers(stream.id, okHead), data(stream.id, Buffer.from("x"))]));
    peer.say(headers(stream.id, trailers, Flag.endHeaders | Flag.endStream));
    return new WeakRef(handler);
  };
  const kept = use();
  // A WeakRef holds what it refers to until the turn's end.
  await new Promise((resolve) => setImmediate(resolve));
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  assert.equal(kept.deref(), undefined);
});

test("ClientConnection.close() ends every stream, says goodbye, and hears nothing any more", () => {
  const peer = greetedPeer();
  peer.request();
  peer.connection.close(new Error("Enough"));
  peer.connection.close(new Error("Again"));
  peer.say(headers(1, okHead));
  assert.deepEqual(peer.told.get(1), ["lost"]);
  assert.equal(peer.goawayCode, ErrorCode.NO_ERROR);
  assert.deepEqual(
    [peer.over, peer.connection.isUsable, peer.connection.refusal],
    [undefined, false, "The connection is closed"],
  );
});

test("ClientConnection may be closed by what it tells, in the midst of a chunk", () => {
  const peer = greetedPeer();
  const told: string[] = [];
  peer.connection.request([], Buffer.alloc(0), {
    onHead() {
      peer.connection.close(new Error("Seen enough"));
    },
    onData: () => told.push("data"),
    onTrailers: () => told.push("trailers"),
    onClose: ({ kind }) => told.push(kind),
  });
  peer.say(Buffer.concat([headers(1, okHead), data(1, Buffer.from("x")), headers(1, trailers, Flag.endHeaders | 1)]));
  assert.deepEqual(told, ["lost"]);
});

interface Violation {
  readonly says: readonly Buffer[];
  readonly code: ErrorName;
  /** It comes first, before SETTINGS. */
  readonly isFirst?: true;
}

const tooLong = Buffer.of(0, 0x40, 1, 0xfe, 0, 0, 0, 0, 0);

/** With streams 1 and 3 open, of which 1 has got its head. */
const violations: Record<string, Violation> = {
  "something else than SETTINGS first": { says: [data(1, Buffer.alloc(1))], code: "PROTOCOL_ERROR", isFirst: true },
  "an acknowledgement of SETTINGS first": {
    says: [encodeFrame(FrameType.settings, Flag.ack, 0, Buffer.alloc(0))],
    code: "PROTOCOL_ERROR",
    isFirst: true,
  },
  "HTTP/1.1": { says: [Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")], code: "FRAME_SIZE_ERROR", isFirst: true },
  "a frame of more than 16 KiB, of a type that is not known": { says: [tooLong], code: "FRAME_SIZE_ERROR" },
  "DATA on stream 0": { says: [data(0, Buffer.alloc(1))], code: "PROTOCOL_ERROR" },
  "DATA on a stream that was never opened": { says: [data(5, Buffer.alloc(1))], code: "PROTOCOL_ERROR" },
  "DATA on a stream of the server's": { says: [data(2, Buffer.alloc(1))], code: "PROTOCOL_ERROR" },
  "DATA with more padding than payload": { says: [data(1, Buffer.of(2, 0), Flag.padded)], code: "PROTOCOL_ERROR" },
  "padded DATA without a padding length": { says: [data(1, Buffer.alloc(0), Flag.padded)], code: "FRAME_SIZE_ERROR" },
  "HEADERS on stream 0": { says: [headers(0, okHead)], code: "PROTOCOL_ERROR" },
  "HEADERS on a stream that was never opened": { says: [headers(7, okHead)], code: "PROTOCOL_ERROR" },
  "HEADERS with more padding than payload": {
    says: [encodeFrame(FrameType.headers, Flag.endHeaders | Flag.padded, 1, Buffer.of(9, 0x88))],
    code: "PROTOCOL_ERROR",
  },
  "HEADERS too short for their priority": {
    says: [encodeFrame(FrameType.headers, Flag.endHeaders | Flag.priority, 1, Buffer.alloc(4))],
    code: "FRAME_SIZE_ERROR",
  },
  "a header block that cannot be decoded": {
    says: [encodeFrame(FrameType.headers, endHeaders, 3, Buffer.of(0x80))],
    code: "COMPRESSION_ERROR",
  },
  "a header block of a closed stream that cannot be decoded": {
    says: [encodeRstStream(3, 0), encodeFrame(FrameType.headers, endHeaders, 3, Buffer.of(0x80))],
    code: "COMPRESSION_ERROR",
  },
  "CONTINUATION without HEADERS": { says: [continuation(1)], code: "PROTOCOL_ERROR" },
  "CONTINUATION of another stream": { says: [fragment(3), continuation(1)], code: "PROTOCOL_ERROR" },
  "DATA inside a header block": { says: [fragment(3), data(1, Buffer.alloc(1))], code: "PROTOCOL_ERROR" },
  "PING inside a header block": {
    says: [fragment(3), encodeFrame(FrameType.ping, 0, 0, Buffer.alloc(8))],
    code: "PROTOCOL_ERROR",
  },
  "an unknown frame inside a header block": {
    says: [fragment(3), encodeFrame(0xfe, 0, 0, Buffer.alloc(0))],
    code: "PROTOCOL_ERROR",
  },
  "CONTINUATION without an end": {
    says: [fragment(3), ...Array.from({ length: 100 }, () => continuation(3))],
    code: "ENHANCE_YOUR_CALM",
  },
  "PRIORITY on stream 0": { says: [encodeFrame(FrameType.priority, 0, 0, Buffer.alloc(5))], code: "PROTOCOL_ERROR" },
  "PRIORITY of another length": {
    says: [encodeFrame(FrameType.priority, 0, 1, Buffer.alloc(4))],
    code: "FRAME_SIZE_ERROR",
  },
  "RST_STREAM on stream 0": { says: [encodeRstStream(0, 0)], code: "PROTOCOL_ERROR" },
  "RST_STREAM on a stream that was never opened": { says: [encodeRstStream(5, 0)], code: "PROTOCOL_ERROR" },
  "RST_STREAM of another length": {
    says: [encodeFrame(FrameType.rstStream, 0, 1, Buffer.alloc(5))],
    code: "FRAME_SIZE_ERROR",
  },
  "SETTINGS on a stream": {
    says: [encodeFrame(FrameType.settings, 0, 1, Buffer.alloc(0))],
    code: "PROTOCOL_ERROR",
  },
  "SETTINGS of another length": {
    says: [encodeFrame(FrameType.settings, 0, 0, Buffer.alloc(5))],
    code: "FRAME_SIZE_ERROR",
  },
  "an acknowledgement of SETTINGS that has a payload": {
    says: [encodeFrame(FrameType.settings, Flag.ack, 0, Buffer.alloc(6))],
    code: "FRAME_SIZE_ERROR",
  },
  "SETTINGS_ENABLE_PUSH of 1": { says: [settings(Setting.enablePush, 1)], code: "PROTOCOL_ERROR" },
  "SETTINGS_INITIAL_WINDOW_SIZE of 2^31": {
    says: [settings(Setting.initialWindowSize, 2 ** 31)],
    code: "FLOW_CONTROL_ERROR",
  },
  "SETTINGS_INITIAL_WINDOW_SIZE that overflows a stream's window": {
    says: [encodeWindowUpdate(1, 1_000), settings(Setting.initialWindowSize, 2 ** 31 - 1)],
    code: "FLOW_CONTROL_ERROR",
  },
  "SETTINGS_MAX_FRAME_SIZE under 16 KiB": { says: [settings(Setting.maxFrameSize, 16_383)], code: "PROTOCOL_ERROR" },
  "SETTINGS_MAX_FRAME_SIZE of 16 MiB": { says: [settings(Setting.maxFrameSize, 2 ** 24)], code: "PROTOCOL_ERROR" },
  PUSH_PROMISE: {
    says: [encodeFrame(FrameType.pushPromise, endHeaders, 1, Buffer.of(0, 0, 0, 2))],
    code: "PROTOCOL_ERROR",
  },
  "PING on a stream": { says: [encodeFrame(FrameType.ping, 0, 1, Buffer.alloc(8))], code: "PROTOCOL_ERROR" },
  "PING of another length": { says: [encodeFrame(FrameType.ping, 0, 0, Buffer.alloc(9))], code: "FRAME_SIZE_ERROR" },
  "GOAWAY on a stream": { says: [encodeFrame(FrameType.goaway, 0, 1, Buffer.alloc(8))], code: "PROTOCOL_ERROR" },
  "GOAWAY of 7 bytes": { says: [encodeFrame(FrameType.goaway, 0, 0, Buffer.alloc(7))], code: "FRAME_SIZE_ERROR" },
  "GOAWAY that takes back one before": { says: [goaway(1, 0), goaway(3, 0)], code: "PROTOCOL_ERROR" },
  "WINDOW_UPDATE of another length": {
    says: [encodeFrame(FrameType.windowUpdate, 0, 0, Buffer.alloc(3))],
    code: "FRAME_SIZE_ERROR",
  },
  "WINDOW_UPDATE of 0 for the connection": { says: [encodeWindowUpdate(0, 0)], code: "PROTOCOL_ERROR" },
  "WINDOW_UPDATE on a stream that was never opened": { says: [encodeWindowUpdate(5, 1)], code: "PROTOCOL_ERROR" },
  "WINDOW_UPDATE that overflows the connection's window": {
    says: [encodeWindowUpdate(0, 2 ** 31 - 1)],
    code: "FLOW_CONTROL_ERROR",
  },
};
for (const [sentence, { says, code, isFirst }] of Object.entries(violations)) {
  test(`ClientConnection ends with ${code} when the peer says ${sentence}`, () => {
    const peer = new ScriptedPeer();
    peer.request();
    peer.request();
    if (isFirst !== true) peer.say(Buffer.concat([greeting, headers(1, okHead), data(1, Buffer.from("kept"))]));
    peer.say(Buffer.concat(says));
    assert.equal(peer.goawayCode, ErrorCode[code]);
    assert.equal((peer.over as { code?: number } | undefined)?.code, ErrorCode[code]);
    assert.equal(peer.connection.isUsable, false);
    if (isFirst !== true) assert.deepEqual(peer.told.get(1)?.slice(1), ["data 6b657074", "lost"]);
    peer.say(data(1, Buffer.from("late")));
    assert.equal(peer.told.get(1)?.at(-1), "lost");
  });
}

const streamViolations: Record<string, { says: readonly Buffer[]; code: ErrorName }> = {
  "DATA before the head": { says: [data(1, Buffer.from("x"))], code: "PROTOCOL_ERROR" },
  "trailers that are not the end": { says: [headers(1, okHead), headers(1, trailers)], code: "PROTOCOL_ERROR" },
  "a head without a status": { says: [headers(1, trailers)], code: "PROTOCOL_ERROR" },
  "a status that is no number": { says: [headers(1, [[":status", "2xx"]])], code: "PROTOCOL_ERROR" },
  "a switch of protocols": { says: [headers(1, [[":status", "101"]])], code: "PROTOCOL_ERROR" },
  "a status with a blank": { says: [headers(1, [[":status", "200 "]])], code: "PROTOCOL_ERROR" },
  "two statuses": { says: [headers(1, [...okHead, ...okHead])], code: "PROTOCOL_ERROR" },
  "a status behind other fields": { says: [headers(1, [["a", "b"], ...okHead])], code: "PROTOCOL_ERROR" },
  "a status in trailers": {
    says: [headers(1, okHead), headers(1, okHead, Flag.endHeaders | Flag.endStream)],
    code: "PROTOCOL_ERROR",
  },
  "a pseudo-header of requests": { says: [headers(1, [...okHead, [":path", "/"]])], code: "PROTOCOL_ERROR" },
  "a field name in capitals": { says: [headers(1, [...okHead, ["Date", ""]])], code: "PROTOCOL_ERROR" },
  "a field without a name": { says: [headers(1, [...okHead, ["", "x"]])], code: "PROTOCOL_ERROR" },
  "a field value of two lines": { says: [headers(1, [...okHead, ["a", "b\r\nc"]])], code: "PROTOCOL_ERROR" },
  "a field of HTTP/1.1": { says: [headers(1, [...okHead, ["connection", "close"]])], code: "PROTOCOL_ERROR" },
  "an interim response as the end": {
    says: [headers(1, [[":status", "100"]], Flag.endHeaders | Flag.endStream)],
    code: "PROTOCOL_ERROR",
  },
  "a content-length that is no number": {
    says: [headers(1, [...okHead, ["content-length", "-1"]])],
    code: "PROTOCOL_ERROR",
  },
  "more than its content-length": {
    says: [headers(1, [...okHead, ["content-length", "1"]]), data(1, Buffer.from("xy"))],
    code: "PROTOCOL_ERROR",
  },
  "less than its content-length": {
    says: [headers(1, [...okHead, ["content-length", "2"]]), data(1, Buffer.from("x"), Flag.endStream)],
    code: "PROTOCOL_ERROR",
  },
  "more header fields than it takes": {
    says: [headers(1, [...okHead, ["a", "b".repeat(5_000)]])],
    code: "ENHANCE_YOUR_CALM",
  },
  "WINDOW_UPDATE of 0": { says: [encodeWindowUpdate(1, 0)], code: "PROTOCOL_ERROR" },
  "WINDOW_UPDATE that overflows its window": { says: [encodeWindowUpdate(1, 2 ** 31 - 1)], code: "FLOW_CONTROL_ERROR" },
};
for (const [sentence, { says, code }] of Object.entries(streamViolations)) {
  test(`ClientConnection resets the stream alone with ${code} when the peer says ${sentence}`, () => {
    const peer = greetedPeer();
    peer.request();
    peer.request();
    peer.say(Buffer.concat(says));
    assert.equal(peer.resetCode(1), ErrorCode[code]);
    assert.equal(peer.told.get(1)?.at(-1), `failed ${code} (${ErrorCode[code]})`);
    peer.say(Buffer.concat([headers(3, okHead), data(3, Buffer.from("x"), Flag.endStream)]));
    assert.deepEqual(peer.told.get(3), ["head :status 200", "data 78", "complete"]);
    assert.equal(peer.over, undefined);
  });
}

test("ClientConnection leaves a peer that wants answers and takes none", () => {
  for (const frame of [encodeFrame(FrameType.ping, 0, 0, Buffer.alloc(8)), settings(Setting.headerTableSize, 0)]) {
    const peer = greetedPeer();
    peer.request();
    peer.queuedBytes = 1_001;
    peer.say(frame);
    assert.equal(peer.goawayCode, ErrorCode.ENHANCE_YOUR_CALM);
    assert.deepEqual(peer.told.get(1), ["lost"]);
  }
});

/** Frames as servers say them, more or less, on the streams 1, 3 and 5. */
const streamId = fc.constantFrom(1, 3, 5);
const bytes = fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array));
const frame = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(streamId, bytes).map(([id, content]) => data(id, content)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(streamId, bytes, fc.nat({ max: 9 }))
      .map(([id, content, padding]) =>
        data(id, Buffer.concat([Buffer.of(padding), content, Buffer.alloc(padding)]), Flag.padded),
      ),
  },
  { weight: 3, arbitrary: streamId.map((id) => headers(id, okHead)) },
  {
    weight: 2,
    arbitrary: streamId.map((id) =>
      Buffer.concat([
        encodeFrame(FrameType.headers, 0, id, Buffer.of(0x88, 0x40, 1)),
        encodeFrame(FrameType.continuation, endHeaders, id, Buffer.of(0x61, 1, 0x62)),
      ]),
    ),
  },
  { weight: 1, arbitrary: streamId.map((id) => headers(id, trailers, Flag.endHeaders | Flag.endStream)) },
  { weight: 1, arbitrary: streamId.map((id) => data(id, Buffer.from("last"), Flag.endStream)) },
  { weight: 1, arbitrary: streamId.map((id) => encodeRstStream(id, ErrorCode.INTERNAL_ERROR)) },
  { weight: 1, arbitrary: fc.constant(encodeFrame(FrameType.ping, 0, 0, Buffer.from("8 bytes."))) },
  { weight: 1, arbitrary: fc.constant(settings(Setting.initialWindowSize, 70_000)) },
  { weight: 1, arbitrary: bytes.map((payload) => encodeFrame(0x77, 0xff, 1, payload)) },
  { weight: 1, arbitrary: fc.constant(goaway(3, ErrorCode.NO_ERROR)) },
);

function hear(stream: Buffer, cuts: readonly number[]) {
  const peer = new ScriptedPeer({ streamWindowBytes: 200, connectionWindowBytes: 66_000 });
  for (let requests = 0; requests < 3; requests++) peer.request();
  peer.say(stream, cuts);
  return { told: peer.told, written: peer.written, over: peer.over?.message, goaways: peer.goaways };
}

test("ClientConnection tells and answers the same under every split of the byte stream", () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 30, size: "max" }),
      fc.array(fc.nat({ max: 2_000 }), { maxLength: 40 }),
      (frames, cuts) => {
        const stream = Buffer.concat([greeting, ...frames]);
        const whole = hear(stream, []);
        assert.deepEqual(hear(stream, cuts), whole);
        assert.deepEqual(
          hear(
            stream,
            Array.from(stream, (_, index) => index),
          ),
          whole,
        );
      },
    ),
    { numRuns: 500 },
  );
});

test("ClientConnection throws nothing and answers little, whatever the bytes", () => {
  const anyFrame = fc
    .tuple(fc.nat({ max: 11 }), fc.nat({ max: 255 }), fc.nat({ max: 6 }), bytes)
    .map(([type, flags, id, payload]) => encodeFrame(type, flags, id, payload));
  const noise = fc.array(fc.oneof(anyFrame, frame, bytes), { maxLength: 20 }).map((parts) => Buffer.concat(parts));
  fc.assert(
    fc.property(noise, fc.boolean(), fc.array(fc.nat({ max: 1_000 }), { maxLength: 5 }), (stream, isGreeted, cuts) => {
      const { written, told } = hear(isGreeted ? Buffer.concat([greeting, stream]) : stream, cuts);
      const answerBytes = written.slice(8).reduce((sum, { payload }) => sum + 9 + payload.length, 0);
      assert.ok(answerBytes <= 2 * stream.length + 200, `${answerBytes} bytes of answers to ${stream.length}`);
      for (const story of told.values()) {
        assert.ok(story.filter((what) => /^(complete|reset|lost|failed|unprocessed)/.test(what)).length <= 1);
      }
    }),
    { numRuns: 3_000 },
  );
});

test("encodeGoaway() says why", () => {
  assert.equal(encodeGoaway(ErrorCode.PROTOCOL_ERROR, "why").subarray(17).toString(), "why");
});
