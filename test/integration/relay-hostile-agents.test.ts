import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import type { FeedId } from "../../relay/feeds.ts";
import { parseEndpoint } from "../../relay/nodes/agent.ts";
import { defaultNodeOptions } from "../../relay/nodes/node.ts";
import { NodePool } from "../../relay/nodes/node-pool.ts";
import { Slots } from "../../relay/nodes/slots.ts";
import { encodeFrame } from "../../relay/wire/frame-cutter.ts";
import { type RawAgent, type RawAgentConnection, type RawAgentOptions, startRawAgent } from "./raw-agent.ts";
import { type Frame, flag, frameType, hpack, type RawConnection } from "./raw-http2.ts";
import { waitUntil } from "./relay-harness.ts";

const limit = { timeout: 60_000 };
const maxEventBytes = 4 * 1024 * 1024;
/** What HTTP/2 lets a frame have unless the receiver says more. */
const maxFrameBytes = 16_384;

interface Attack {
  /** `id` is the stream of alerts. */
  readonly strike: (wire: RawConnection, id: number) => void;
  /** What it costs: the connection, the stream of alerts alone, or nothing. */
  readonly costs: "connection" | "stream" | "nothing";
  /** Whole events that are part of it, and that must be handed on. Default 0. */
  readonly events?: number;
}

const event = encodeFrame(Buffer.from([0x0a, 1, 0x61]));
const cancel = 8;
const okTrailers = { "grpc-status": "0" };

const attacks: Record<string, Attack> = {
  "ends the stream with OK": { strike: (wire, id) => wire.headers(id, okTrailers, true), costs: "stream" },
  "ends the stream without trailers": { strike: (wire, id) => wire.data(id, Buffer.alloc(0), true), costs: "stream" },
  "resets the stream": { strike: (wire, id) => wire.reset(id), costs: "stream" },
  "sends an event whose compressed flag is set": {
    strike: (wire, id) => wire.data(id, Buffer.concat([event, Buffer.from([1, 0, 0, 0, 0])])),
    costs: "stream",
    events: 1,
  },
  "announces an event of one byte over 4 MiB": {
    strike: (wire, id) => wire.data(id, Buffer.concat([event, prefix(maxEventBytes + 1)])),
    costs: "stream",
    events: 1,
  },
  "announces an event of 4 GiB": { strike: (wire, id) => wire.data(id, prefix(0xffffffff)), costs: "stream" },
  "ends the stream and lets nothing be sent for a while": {
    strike: (wire, id) => {
      wire.control(frameType.settings, 0, setting(4, 0)).headers(id, okTrailers, true);
      setTimeout(() => wire.control(frameType.settings, 0, setting(4, 65_535)), 100);
    },
    costs: "stream",
  },
  "ends the stream and allows no streams for a while": {
    strike: (wire, id) => {
      // Those that are open remain.
      wire.control(frameType.settings, 0, setting(3, 2)).headers(id, okTrailers, true);
      setTimeout(() => wire.control(frameType.settings, 0, setting(3, 100)), 100);
    },
    costs: "stream",
  },
  "ends the stream inside an event": {
    strike: (wire, id) => wire.data(id, event.subarray(0, -1)).headers(id, okTrailers, true),
    costs: "stream",
  },
  "sends an event of exactly 4 MiB": {
    strike: (wire, id) => sendAll(wire, id, encodeFrame(Buffer.alloc(maxEventBytes))),
    costs: "nothing",
    events: 1,
  },
  "sends events byte by byte, in a DATA frame each": {
    strike: (wire, id) => {
      for (const byte of Buffer.concat([event, event, event])) wire.data(id, Buffer.of(byte));
    },
    costs: "nothing",
    events: 3,
  },
  "pads its DATA": {
    strike: (wire, id) => {
      const padded = Buffer.concat([Buffer.of(200), event, Buffer.alloc(200)]);
      wire.send({ type: frameType.data, flags: 8, streamId: id, payload: padded });
    },
    costs: "nothing",
    events: 1,
  },
  "sends empty DATA": {
    strike: (wire, id) => {
      for (let sent = 0; sent < 100; sent += 1) wire.data(id, Buffer.alloc(0));
      wire.data(id, event);
    },
    costs: "nothing",
    events: 1,
  },
  "sends frames of no known type, on streams and connection": {
    strike: (wire, id) => {
      for (const streamId of [0, id]) wire.send({ type: 0x77, flags: 255, streamId, payload: Buffer.alloc(100) });
      wire.data(id, event);
    },
    costs: "nothing",
    events: 1,
  },
  "changes its SETTINGS again": {
    strike: (wire, id) => wire.control(frameType.settings, 0, setting(4, 1_000_000)).data(id, event),
    costs: "nothing",
    events: 1,
  },
  "pads beyond the frame": {
    strike: (wire, id) => wire.send({ type: frameType.data, flags: 8, streamId: id, payload: Buffer.of(9, 1, 1) }),
    costs: "connection",
  },
  "sends DATA on a stream that nobody opened": { strike: (wire) => wire.data(1_001, event), costs: "connection" },
  "sends DATA on stream 0": { strike: (wire) => wire.data(0, event), costs: "connection" },
  "sends DATA on an even stream": { strike: (wire) => wire.data(2, event), costs: "connection" },
  "sends HEADERS on a stream that nobody opened": {
    strike: (wire) => wire.headers(1_001, okTrailers),
    costs: "connection",
  },
  "pushes a stream": {
    strike: (wire, id) => {
      const promised = Buffer.concat([Buffer.from([0, 0, 0, 2]), hpack({ ":status": "200" })]);
      wire.send({ type: frameType.pushPromise, flags: flag.endHeaders, streamId: id, payload: promised });
    },
    costs: "connection",
  },
  "announces a frame of 16 MiB": {
    strike: (wire, id) => {
      const header = Buffer.alloc(9);
      header.writeUIntBE(2 ** 24 - 1, 0, 3);
      header.writeUInt32BE(id, 5);
      wire.socket.write(header);
      sendUntilClosed(wire, Buffer.alloc(maxFrameBytes));
    },
    costs: "connection",
  },
  "sends a header block without end": {
    strike: (wire, id) => {
      wire.send({ type: frameType.headers, flags: 0, streamId: id, payload: Buffer.alloc(0) });
      const more = { type: frameType.continuation, flags: 0, streamId: id, payload: manyHeaders(400) };
      const send = () => wire.send(more);
      repeatUntilClosed(wire, send);
    },
    costs: "connection",
  },
  "sends another frame inside a header block": {
    strike: (wire, id) => {
      wire.send({ type: frameType.headers, flags: 0, streamId: id, payload: hpack(okTrailers) }).data(id, event);
    },
    costs: "connection",
  },
  "sends CONTINUATION without HEADERS": {
    strike: (wire, id) => {
      wire.send({ type: frameType.continuation, flags: flag.endHeaders, streamId: id, payload: hpack(okTrailers) });
    },
    costs: "connection",
  },
  "refers to a header field that it never sent": {
    strike: (wire, id) => {
      const unknown = Buffer.from([0xff, 0x80, 0x80, 0x01]);
      wire.send({ type: frameType.headers, flags: flag.endHeaders | flag.endStream, streamId: id, payload: unknown });
    },
    costs: "connection",
  },
  "makes its header table larger than it may": {
    strike: (wire, id) => {
      const update = Buffer.concat([Buffer.from([0x3f, 0xe1, 0xff, 0xff, 0x07]), hpack(okTrailers)]);
      wire.send({ type: frameType.headers, flags: flag.endHeaders | flag.endStream, streamId: id, payload: update });
    },
    costs: "connection",
  },
  "resets a stream twice": { strike: (wire, id) => wire.reset(id).reset(id), costs: "stream" },
  "asks for a header table of 4 GiB": {
    strike: (wire, id) => wire.control(frameType.settings, 0, setting(1, 0xffffffff)).data(id, event),
    costs: "nothing",
    events: 1,
  },
  "sends PRIORITY and WINDOW_UPDATE now and then": {
    strike: (wire, id) => {
      for (let sent = 0; sent < 100; sent += 1) wire.send(priorityFrame(id)).takeMore(0, 1).takeMore(id, 1);
      wire.data(id, event);
    },
    costs: "nothing",
    events: 1,
  },
  "sends a Huffman code that is none": {
    strike: (wire, id) => {
      const broken = Buffer.from([0, 0x84, 0xff, 0xff, 0xff, 0xff, 1, 0x61]);
      wire.send({ type: frameType.headers, flags: flag.endHeaders | flag.endStream, streamId: id, payload: broken });
    },
    costs: "connection",
  },
  "resets a stream that nobody opened": { strike: (wire) => wire.reset(1_001), costs: "connection" },
  "grants nothing more of the connection": { strike: (wire) => wire.takeMore(0, 0), costs: "connection" },
  "grants more of the connection than there can be": {
    strike: (wire) => wire.takeMore(0, 2 ** 31 - 1),
    costs: "connection",
  },
  "sends a frame size that is too small in SETTINGS": {
    strike: (wire) => wire.control(frameType.settings, 0, setting(5, 100)),
    costs: "connection",
  },
  "sends a window that is too large in SETTINGS": {
    strike: (wire) => wire.control(frameType.settings, 0, setting(4, 2 ** 31)),
    costs: "connection",
  },
  "sends SETTINGS that are cut off": {
    strike: (wire) => wire.control(frameType.settings, 0, Buffer.alloc(5)),
    costs: "connection",
  },
  "sends a PING that is too short": {
    strike: (wire) => wire.control(frameType.ping, 0, Buffer.alloc(7)),
    costs: "connection",
  },
  "sends a RST_STREAM that is too long": {
    strike: (wire, id) => {
      wire.send({ type: frameType.rstStream, flags: 0, streamId: id, payload: Buffer.alloc(5, cancel) });
    },
    costs: "connection",
  },
  "says GOAWAY with an error": {
    strike: (wire) => wire.control(frameType.goaway, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 2])),
    costs: "connection",
  },
  "says GOAWAY as if it had not served what it answered": {
    strike: (wire) => wire.control(frameType.goaway, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, 2])),
    costs: "connection",
  },
  "refuses a stream that it has answered": {
    strike: (wire, id) => {
      wire.send({ type: frameType.rstStream, flags: 0, streamId: id, payload: Buffer.from([0, 0, 0, 7]) });
    },
    costs: "stream",
  },
  "speaks HTTP/1 in the middle": {
    strike: (wire) => {
      wire.socket.write("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
    },
    costs: "connection",
  },
  "ends the connection inside a frame": {
    strike: (wire, id) => {
      wire.socket.end(Buffer.from([0, 0, 99, 0, 0, 0, 0, 0, id, 1, 2, 3]));
    },
    costs: "connection",
  },
};

for (const [what, { strike, costs, events = 0 }] of Object.entries(attacks)) {
  const price = costs === "nothing" ? "takes it" : `loses the ${costs}`;
  test(`The relay ${price} when an agent ${what}, and nothing of other agents`, limit, async () => {
    await using scene = await startScene();
    const { hostile, bystander, received, totals } = scene;
    const { wire, streams } = await hostile.connection();
    const first = streamOf(await hostile.connection());
    const calm = await bystander.connection();
    calm.wire.data(streamOf(calm), event);
    await waitUntil(() => received("alerts") === 1);

    strike(wire, first);
    if (costs === "connection") await wire.closed;
    if (costs === "stream") await waitUntil(() => streams.get("alerts") !== first);
    await waitUntil(() => received("alerts") === 1 + events);
    calm.wire.data(streamOf(calm), event);
    const again = await hostile.connection(costs === "connection" ? 2 : 1);
    again.wire.data(streamOf(again), event);
    await waitUntil(() => received("alerts") === 3 + events);
    assert.equal(hostile.connections.length, costs === "connection" ? 2 : 1);
    assert.equal(bystander.connections.length, 1);
    const breaks = {
      connection: { alerts: 1, logs: 1, messages: 1 },
      stream: { alerts: 1, logs: 0, messages: 0 },
      nothing: { alerts: 0, logs: 0, messages: 0 },
    };
    assert.deepEqual(totals(), breaks[costs]);
  });
}

/** Each is sent as fast as it is taken. `id` is the stream of alerts, `ended` one that has ended. */
const floods: Record<string, (id: number, ended: number) => Frame> = {
  PRIORITY: (id) => priorityFrame(id),
  "WINDOW_UPDATE of the connection": () => frameOf(frameType.windowUpdate, 0, Buffer.from([0, 0, 0, 1])),
  "WINDOW_UPDATE of a stream": (id) => frameOf(frameType.windowUpdate, id, Buffer.from([0, 0, 0, 1])),
  SETTINGS: () => frameOf(frameType.settings, 0),
  PING: () => frameOf(frameType.ping, 0, Buffer.alloc(8)),
  "GOAWAY that announces the end": () =>
    frameOf(frameType.goaway, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0])),
  "frames of no known type": () => frameOf(0x77, 0, Buffer.alloc(maxFrameBytes)),
  "empty DATA": (id) => frameOf(frameType.data, id),
  "resets of a stream that has ended": (_, ended) => frameOf(frameType.rstStream, ended, Buffer.alloc(4)),
  "headers of a stream that has ended": (_, ended) => headersFrame(ended, hpack(okTrailers)),
  "headers that fill the table again and again": (_, ended) =>
    headersFrame(ended, Buffer.concat(Array.from({ length: 5_000 }, () => Buffer.from([0x40, 0, 0])))),
};

for (const [what, frameFor] of Object.entries(floods)) {
  test(`The relay leaves an agent that floods it with ${what}, and loses nothing of other agents`, limit, async () => {
    await using scene = await startScene();
    const { hostile, bystander, received, errorOf } = scene;
    const connection = await hostile.connection();
    const { wire } = connection;
    const calm = await bystander.connection();
    // The HealthCheck's, which is asked last, and answered.
    const ended = Math.max(...wire.frames.map(({ streamId }) => streamId));
    const frame = frameFor(streamOf(connection), ended);
    repeatUntilClosed(wire, () => {
      for (let sent = 0; sent < 100; sent += 1) wire.send(frame);
    });
    await wire.closed;
    calm.wire.data(streamOf(calm), event);
    const again = await hostile.connection(2);
    again.wire.data(streamOf(again), event);
    await waitUntil(() => received("alerts") === 2);
    assert.match(errorOf(hostile) ?? "", /^More than \d+ [a-z ]+ at once, or \d+ a second \(ENHANCE_YOUR_CALM\)$/);
    assert.equal(bystander.connections.length, 1);
  });
}

/** What would cost memory without a bound. Whether it costs the connection does not matter, so long as it costs no more. */
const hogs: Record<string, (wire: RawConnection, id: number) => void> = {
  "pings and takes no answer": (wire) => {
    wire.socket.pause();
    sendUntilClosed(wire, rawFrames(frameType.ping, 8, 2_000));
  },
  "sends SETTINGS and takes no answer": (wire) => {
    wire.socket.pause();
    sendUntilClosed(wire, rawFrames(frameType.settings, 0, 2_000));
  },
  "sends headers that are small on the wire and large in memory": (wire, id) => {
    // One field of 4,000 bytes, kept in the table, and then a reference of a byte each.
    const field = Buffer.concat([Buffer.from([0x40, 1, 0x78, 0x7f, 0xa1, 0x1e]), Buffer.alloc(4_000, 0x61)]);
    const bomb = Buffer.concat([hpack({ "grpc-status": "0" }), field, Buffer.alloc(12_000, 0xbe)]);
    wire.send({ type: frameType.headers, flags: flag.endHeaders | flag.endStream, streamId: id, payload: bomb });
  },
};

for (const [what, strike] of Object.entries(hogs)) {
  test(`The relay keeps its memory, and its other agents, when an agent ${what}`, limit, async () => {
    await using scene = await startScene();
    const { hostile, bystander, received } = scene;
    const connection = await hostile.connection();
    const calm = await bystander.connection();
    const before = process.memoryUsage();
    strike(connection.wire, streamOf(connection));
    for (let round = 1; round <= 50; round += 1) {
      calm.wire.data(streamOf(calm), event);
      await waitUntil(() => received("alerts") === round);
    }
    const after = process.memoryUsage();
    const grown = after.heapUsed + after.external - before.heapUsed - before.external;
    assert.ok(grown < 64 * 2 ** 20, `${grown} bytes more`);
    assert.equal(bystander.connections.length, 1);
  });
}

for (const [what, settings] of Object.entries({
  "answers nothing": undefined,
  "answers nothing and lets nothing be sent": setting(4, 0),
  "answers nothing and allows no streams": setting(3, 0),
})) {
  test(`The relay gives up on an agent that ${what}, tries again, and keeps its other agents`, limit, async () => {
    await using scene = await startScene({ isPolite: false, ...(settings === undefined ? {} : { settings }) });
    const { hostile, bystander, received, totals } = scene;
    const calm = await bystander.connection();
    await waitUntil(() => hostile.connections.length >= 3);
    calm.wire.data(streamOf(calm), event);
    await waitUntil(() => received("alerts") === 1);
    // Never open, so nothing broke.
    assert.deepEqual(totals(), { alerts: 0, logs: 0, messages: 0 });
    const open = hostile.connections.filter(({ wire }) => !wire.socket.destroyed);
    assert.ok(open.length <= 1, `${open.length} connections are open`);
  });
}

interface Scene extends AsyncDisposable {
  readonly hostile: RawAgent;
  readonly bystander: RawAgent;
  /** Events that were handed on. */
  readonly received: (feed: FeedId) => number;
  /** Why the last connection to an agent was lost. */
  readonly errorOf: (agent: RawAgent) => string | undefined;
  /** Breaks of each feed's streams. */
  readonly totals: () => Readonly<Record<FeedId, number>>;
}

async function startScene(options: RawAgentOptions = {}): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const hostile = stack.use(await startRawAgent(options));
  const bystander = stack.use(await startRawAgent());
  const events = new Map<FeedId, number>();
  const pool = stack.use(
    new NodePool(
      { ...defaultNodeOptions, healthDeadlineMs: 300, reconnect: { initialMs: 1, maxMs: 10 } },
      {
        publish: (feed, _, count) => events.set(feed, (events.get(feed) ?? 0) + count),
        dialling: new Slots(8),
        clock: systemClock,
        random: Math.random,
        log: silentLog,
      },
    ),
  );
  pool.update(
    "static",
    [hostile, bystander].map(({ address }) => ({ id: address, name: address, endpoints: [endpointOf(address)] })),
  );
  const owned = stack.move();
  return {
    hostile,
    bystander,
    received: (feed) => events.get(feed) ?? 0,
    errorOf: ({ address }) => pool.nodes.find(({ agent }) => agent.id === address)?.lastError?.message,
    totals: () => ({
      alerts: pool.totals("alerts").breaks,
      logs: pool.totals("logs").breaks,
      messages: pool.totals("messages").breaks,
    }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function endpointOf(address: string): NonNullable<ReturnType<typeof parseEndpoint>> {
  return parseEndpoint(address) ?? assert.fail(address);
}

/** The present stream of alerts. */
function streamOf({ streams }: RawAgentConnection): number {
  return streams.get("alerts") ?? assert.fail("No stream of alerts");
}

function prefix(length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

function sendAll(wire: RawConnection, id: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; at += maxFrameBytes) wire.data(id, bytes.subarray(at, at + maxFrameBytes));
}

function frameOf(type: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Frame {
  return { type, flags: 0, streamId, payload };
}

function priorityFrame(streamId: number): Frame {
  return frameOf(frameType.priority, streamId, Buffer.from([0, 0, 0, 0, 1]));
}

function headersFrame(streamId: number, payload: Buffer): Frame {
  return { type: frameType.headers, flags: flag.endHeaders, streamId, payload };
}

function manyHeaders(count: number): Buffer {
  return hpack(Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, "value"])));
}

/** Empty frames of the connection, one after the other. */
function rawFrames(type: number, payloadBytes: number, count: number): Buffer {
  const one = Buffer.alloc(9 + payloadBytes);
  one.writeUIntBE(payloadBytes, 0, 3);
  one.writeUInt8(type, 3);
  return Buffer.concat(Array.from({ length: count }, () => one));
}

function sendUntilClosed(wire: RawConnection, bytes: Buffer): void {
  repeatUntilClosed(wire, () => wire.socket.write(bytes));
}

/** In step with what the other side takes. */
function repeatUntilClosed({ socket }: RawConnection, send: () => void): void {
  const next = () => {
    if (socket.destroyed) return;
    send();
    if (socket.writableNeedDrain) socket.once("drain", next);
    else setImmediate(next);
  };
  next();
}
