import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import type { sendUnaryData, ServerDuplexStream, ServerReadableStream, ServerWritableStream } from "@grpc/grpc-js";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { acceptCall } from "../../relay/server/accept.ts";
import { MessageBudget } from "../../relay/server/message-budget.ts";
import { Registry } from "../../relay/server/registry.ts";
import { encodeFrame, framePrefixBytes } from "../../relay/wire/frame-cutter.ts";
import { type Frame, flag, frameType, RawConnection } from "./raw-http2.ts";

const bidi = "/test.Slow/Bidi";
const upload = "/test.Slow/Client";
const server = "/test.Slow/Server";
/** Two DATA frames of it fit into what HTTP/2 lets a client send before the server takes any. */
const manyRequests = 3_000;

test("a client that reads no answers gets no more than one request served, however many it sends", async (t) => {
  const { port, seen, budget } = await startRegistry(t);
  using connection = await RawConnection.connect(port);
  connection.greet(0).call(1, bidi);
  for (let half = 0; half < 2; half += 1) {
    connection.data(1, Buffer.concat(Array.from({ length: manyRequests / 2 }, () => encodeFrame(Buffer.from("a")))));
  }
  await connection.roundTrip(3);
  assert.equal(seen.requests, 1);
  assert.ok(seen.writableLength <= 1, `${seen.writableLength} answers wait`);
  // What it sent is held once, as it came.
  assert.ok(budget.takenBytes <= 2 * manyRequests * framePrefixBytes * 2, `${budget.takenBytes} bytes are held`);

  connection.takeMore(1, 2 * manyRequests * framePrefixBytes).data(1, Buffer.alloc(0), true);
  await connection.frame(isEndOf(1));
  assert.equal(seen.requests, manyRequests);
  const answers = connection.frames.filter(({ type, streamId }) => type === frameType.data && streamId === 1);
  const bytes = Buffer.concat(answers.map(({ payload }) => payload));
  assert.equal(bytes.length, manyRequests * (framePrefixBytes + 1));
  assert.equal(budget.takenBytes, 0);
});

test("a client that reads no answers is soon not let send any more", async (t) => {
  const { port, seen } = await startRegistry(t);
  using connection = await RawConnection.connect(port);
  connection.greet(0).call(1, bidi);
  const chunk = Buffer.concat(Array.from({ length: 1_000 }, () => encodeFrame(Buffer.alloc(10))));
  const maxChunks = 50;
  let sent = 0;
  for (; sent < maxChunks; sent += 1) {
    if (Math.min(windowOf(connection, 0), windowOf(connection, 1)) < (sent + 1) * chunk.length) break;
    await connection.data(1, chunk).roundTrip(3 + 2 * sent);
  }
  assert.ok(sent < maxChunks / 2, `The server has taken ${sent} chunks`);
  assert.equal(seen.requests, 1);
});

test("what a client sends after its call is over is dropped, also while the last answer waits for it", async (t) => {
  const { port, seen, budget } = await startRegistry(t);
  using connection = await RawConnection.connect(port);
  const last = encodeFrame(Buffer.from("last"));
  connection
    .greet(0)
    .call(1, bidi)
    .data(1, Buffer.concat([last, last, last]))
    .data(1, last);
  await connection.roundTrip(3);
  connection.data(1, last);
  await connection.roundTrip(5);
  assert.equal(seen.requests, 1);
  // The answer, and what came with its request.
  assert.equal(budget.takenBytes, last.length + 3 * last.length);
  // A byte to spare: nghttp2 sends no trailers either while the window is used up.
  connection.takeMore(1, last.length + 1);
  await connection.frame(isEndOf(1));
  assert.equal(budget.takenBytes, 0);
});

test("answers that wait for their clients come out of the budget, and are given back", async (t) => {
  const { port, budget } = await startRegistry(t, 200);
  using connection = await RawConnection.connect(port);
  connection.greet(0);
  const request = encodeFrame(Buffer.alloc(90));
  for (const id of [1, 3]) connection.call(id, server).data(id, request, true);
  await connection.roundTrip(5);
  assert.equal(budget.takenBytes, 2 * request.length);
  connection.call(7, server).data(7, request, true);
  const refusal = await connection.frame(({ streamId }) => streamId === 7);
  assert.equal(refusal.flags & flag.endStream, flag.endStream);
  const cancel = Buffer.from([0, 0, 0, 8]);
  for (const id of [1, 3]) connection.send({ type: frameType.rstStream, flags: 0, streamId: id, payload: cancel });
  await connection.roundTrip(9);
  assert.equal(budget.takenBytes, 0);
});

for (const [what, frames] of Object.entries({
  "sends no request": [],
  "stops half way through its first request": [Buffer.from([0, 0])],
  "stops half way through a later request": [encodeFrame(Buffer.alloc(3)), Buffer.from([0, 0, 0, 0, 9, 1])],
})) {
  test(`a client stream that ${what} is ended after 15 s, and its bytes are free`, async (t) => {
    const { port, budget, clock } = await startRegistry(t);
    using connection = await RawConnection.connect(port);
    connection.greet().call(1, bidi);
    for (const each of frames) connection.data(1, each);
    await connection.roundTrip(3);
    assert.equal(budget.takenBytes > 0, frames.length > 0);
    clock.advance(14_999);
    await connection.roundTrip(5);
    assert.equal(connection.frames.filter(isEndOf(1)).length, 0);
    clock.advance(1);
    await connection.frame(isEndOf(1));
    assert.equal(budget.takenBytes, 0);
    assert.equal(clock.pendingTimers, 0);
  });
}

for (const path of [bidi, upload]) {
  test(`a client stream of ${path} may be idle between requests`, async (t) => {
    const { port, seen, clock } = await startRegistry(t);
    using connection = await RawConnection.connect(port);
    connection.greet().call(1, path);
    for (let round = 1; round <= 3; round += 1) {
      connection.data(1, encodeFrame(Buffer.from("a")));
      await connection.roundTrip(2 * round + 1);
      clock.advance(3_600_000);
    }
    connection.data(1, Buffer.alloc(0), true);
    await connection.frame(isEndOf(1));
    assert.equal(seen.requests, 3);
  });
}

test("a client that goes on taking answers, however slowly, has 15 s for each", async (t) => {
  const { port, seen, clock } = await startRegistry(t);
  using connection = await RawConnection.connect(port);
  const request = encodeFrame(Buffer.from("a"));
  connection
    .greet(0)
    .call(1, bidi)
    .data(1, Buffer.concat(Array.from({ length: 4 }, () => request)), true);
  for (let taken = 1; taken <= 4; taken += 1) {
    await connection.roundTrip(2 * taken + 1);
    assert.equal(seen.requests, taken);
    assert.equal(clock.pendingTimers, 1);
    clock.advance(14_999);
    connection.takeMore(1, request.length);
    await connection.frame(() => connection.frames.filter(isDataOf(1)).length === taken);
  }
  connection.takeMore(1, 1);
  await connection.frame(isEndOf(1));
  assert.equal(clock.pendingTimers, 0);
});

test("a client that takes no answer for 15 s is reset, and its bytes are free", async (t) => {
  const { port, budget, clock } = await startRegistry(t);
  using connection = await RawConnection.connect(port);
  connection.greet(0);
  for (const [id, path] of [
    [1, bidi],
    [3, server],
  ] as const) {
    connection.call(id, path).data(id, encodeFrame(Buffer.alloc(9)), path === server);
  }
  await connection.roundTrip(5);
  assert.ok(budget.takenBytes > 0);
  assert.equal(clock.pendingTimers, 2);
  clock.advance(15_000);
  for (const id of [1, 3]) {
    await connection.frame(({ type, streamId }) => type === frameType.rstStream && streamId === id);
  }
  assert.equal(budget.takenBytes, 0);
  assert.equal(clock.pendingTimers, 0);
});

function isDataOf(id: number): (frame: Frame) => boolean {
  return ({ type, streamId }) => streamId === id && type === frameType.data;
}

function isEndOf(id: number): (frame: Frame) => boolean {
  return ({ type, streamId, flags }) =>
    streamId === id && (type === frameType.data || type === frameType.headers) && (flags & flag.endStream) !== 0;
}

/** What a server has let be sent so far. */
function windowOf({ frames }: RawConnection, id: number): number {
  const grants = frames.filter(({ type, streamId }) => type === frameType.windowUpdate && streamId === id);
  return grants.reduce((sum, { payload }) => sum + payload.readUInt32BE(), 65_535);
}

const bytes = (value: Buffer) => value;
const codec = {
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
};

interface Seen {
  requests: number;
  /** The most answers that ever waited in a call. */
  writableLength: number;
}

/** A server of methods that answer each request with itself. */
async function startRegistry(
  t: TestContext,
  budgetBytes = 2 ** 20,
): Promise<{ port: number; seen: Seen; budget: MessageBudget; clock: FakeClock }> {
  const clock = new FakeClock();
  const budget = new MessageBudget(budgetBytes);
  const registry = new Registry({ budget, clock, log: silentLog });
  const seen: Seen = { requests: 0, writableLength: 0 };
  registry.addService(
    {
      Bidi: { path: bidi, requestStream: true, responseStream: true, ...codec },
      Client: { path: upload, requestStream: true, responseStream: false, ...codec },
      Server: { path: server, requestStream: false, responseStream: true, ...codec },
    },
    {
      Bidi(call: ServerDuplexStream<Buffer, Buffer>) {
        call.on("data", (request: Buffer) => {
          seen.requests += 1;
          call.write(request);
          if (request.toString() === "last") call.end();
          seen.writableLength = Math.max(seen.writableLength, call.writableLength);
        });
        call.on("end", () => call.end());
      },
      Client(call: ServerReadableStream<Buffer, Buffer>, reply: sendUnaryData<Buffer>) {
        call.on("data", () => {
          seen.requests += 1;
        });
        call.on("end", () => reply(null, Buffer.alloc(0)));
      },
      Server: (call: ServerWritableStream<Buffer, Buffer>) => {
        call.write(call.request);
      },
    },
  );
  const http2 = createServer();
  const sessions = new Set<ServerHttp2Session>();
  http2.on("session", (session) => sessions.add(session));
  http2.on("stream", (stream, headers) => {
    const call = acceptCall(stream, headers, clock);
    if (call !== undefined) registry.serve(call, headers);
  });
  http2.listen(0);
  await once(http2, "listening");
  t.after(async () => {
    const closed = once(http2, "close");
    http2.close();
    for (const session of sessions) session.destroy();
    await closed;
  });
  return { port: (http2.address() as AddressInfo).port, seen, budget, clock };
}
