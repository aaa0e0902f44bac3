import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Stream, connect } from "node:http2";
import { connect as tcpConnect } from "node:net";
import { networkInterfaces } from "node:os";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { type Clock, systemClock } from "../../lib/process/clock.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import type { Call, CallHandler } from "../../relay/server/call.ts";
import { type RelayServer, startServer } from "../../relay/server/server.ts";
import { Code, ok, respondWithTrailers, StatusError } from "../../relay/server/status.ts";
import { type Frame, flag, frameType, RawConnection } from "./raw-http2.ts";

const emptyMessage = Buffer.alloc(5);
const tlsHello = Buffer.from("16030100c8010000c40303", "hex");

test("startServer() listens on both address families", async (t) => {
  const server = await start(t, systemClock);
  const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ family }) => family === "IPv6"));
  for (const host of hasIpv6 ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
    using connection = await RawConnection.connect(server.port, host);
    connection.greet().call(1, "/feeder.LogService/HealthCheck").data(1, emptyMessage, true);
    await connection.frame(({ type, streamId }) => type === frameType.headers && streamId === 1);
  }
});

test("startServer() rejects when the port is taken, and says which", async (t) => {
  const { port } = await start(t, systemClock);
  await assert.rejects(
    startServer({ port }, { routes: new Map(), clock: systemClock, log: silentLog }),
    new RegExp(`port ${port}`),
  );
});

for (const [what, bytes] of Object.entries({
  "a TLS hello": tlsHello,
  "an HTTP/1 request": Buffer.from("GET / HTTP/1.1\r\nHost: relay\r\n\r\n"),
  "one wrong byte": Buffer.from("x"),
  "garbage after the preface": Buffer.from(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${"x".repeat(40)}`),
})) {
  test(`the server closes a connection at ${what}`, async (t) => {
    // On a clock that stands still: no timeout closes it.
    const server = await start(t, new FakeClock());
    using connection = await RawConnection.connect(server.port);
    connection.socket.write(bytes);
    await connection.closed;
  });
}

test("the server closes a connection that never speaks", async (t) => {
  const clock = new FakeClock();
  const server = await start(t, clock);
  using connection = await RawConnection.connect(server.port);
  // Its first frame tells that the server has accepted.
  await connection.frame(({ type }) => type === frameType.settings);
  clock.advance(20_000);
  await connection.closed;
});

test("the server lets a connection without calls be as long as it answers pings, and cuts it when it is gone", async (t) => {
  const clock = new FakeClock();
  const server = await start(t, clock);
  using connection = await RawConnection.connect(server.port);
  connection.greet();
  await connection.frame(isSettingsAck);
  for (let round = 1; round <= 12; round += 1) {
    clock.advance(5_000);
    const { payload } = await connection.frame((frame) => isPing(frame) && pingsOf(connection).length === round);
    connection.send({ type: frameType.ping, flags: flag.ack, streamId: 0, payload });
    // Its answer tells that the server has read that.
    connection.send({ type: frameType.ping, flags: 0, streamId: 0, payload });
    await connection.frame(() => connection.frames.filter(isPingAck).length === round);
  }
  assert.equal(connection.socket.readyState, "open");
  clock.advance(5_000 + 20_000);
  await connection.closed;
});

test("the server pings 5 s after each answer, and cuts a client that sends nothing for 20 s", async (t) => {
  const clock = new FakeClock();
  const server = await start(t, clock);
  using connection = await RawConnection.connect(server.port);
  connection.greet().call(1, "/test/Nope", true);
  await connection.frame(({ streamId }) => streamId === 1);
  for (const [round] of Array.from({ length: 3 }).entries()) {
    clock.advance(5_000);
    const { payload } = await connection.frame((frame) => isPing(frame) && pingsOf(connection).length === round + 1);
    connection.send({ type: frameType.ping, flags: flag.ack, streamId: 0, payload });
    await connection.roundTrip(3 + 2 * round);
  }
  clock.advance(5_000);
  await connection.frame(() => pingsOf(connection).length === 4);
  clock.advance(19_999);
  assert.equal(connection.socket.readyState, "open");
  clock.advance(1);
  await connection.closed;
});

test("the server spares a client that answers no PING yet but still takes data", async (t) => {
  const clock = new FakeClock();
  const server = await start(t, clock);
  using connection = await RawConnection.connect(server.port);
  connection.greet().call(1, "/test/Nope", true);
  await connection.frame(({ streamId }) => streamId === 1);
  clock.advance(5_000);
  await connection.frame(isPing);
  clock.advance(10_000);
  await connection.roundTrip(3);
  clock.advance(10_000);
  await connection.roundTrip(5);
  clock.advance(20_000);
  await connection.roundTrip(7);
  clock.advance(20_000);
  clock.advance(20_000);
  await connection.closed;
});

test("the server sends a client that floods it with pings away", async (t) => {
  const server = await start(t, new FakeClock());
  using connection = await RawConnection.connect(server.port);
  connection.greet();
  await connection.frame(isSettingsAck);
  const ping = { type: frameType.ping, flags: 0, streamId: 0, payload: Buffer.alloc(8) };
  // One at a time: the answers alone must not pass for data that the client is sent.
  for (let answers = 1; answers <= 3; answers += 1) {
    connection.send(ping);
    await connection.frame(() => connection.frames.filter(isPingAck).length === answers);
  }
  connection.send(ping);
  const goaway = await connection.frame(({ type }) => type === frameType.goaway);
  assert.equal(goaway.payload.readUInt32BE(4), 11);
  assert.equal(goaway.payload.subarray(8).toString(), "too_many_pings");
  await connection.closed;
});

test("the server survives a client that opens and resets streams as fast as it can", async (t) => {
  const { server, calls } = await startHolding(t, systemClock);
  using connection = await RawConnection.connect(server.port);
  connection.greet();
  const cancel = Buffer.from([0, 0, 0, 8]);
  for (let id = 1; id < 6_000; id += 2) {
    connection.call(id, "/test/Hold").data(id, emptyMessage, true);
    connection.send({ type: frameType.rstStream, flags: 0, streamId: id, payload: cancel });
  }
  await connection.frame(({ type }) => type === frameType.goaway);
  await connection.closed;
  await healthy(server);
  for (const { signal } of calls) assert.ok(signal.aborted, "A reset call goes on");
});

test("the server survives whatever bytes it gets", async (t) => {
  const server = await start(t, systemClock);
  const frames = fc.array(
    fc.record({
      type: fc.nat(12),
      flags: fc.nat(255),
      streamId: fc.nat(8),
      payload: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
    }),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(fc.boolean(), frames, fc.uint8Array({ maxLength: 64 }), async (isPolite, odd, tail) => {
      using connection = await RawConnection.connect(server.port);
      if (isPolite) connection.greet().call(1, "/feeder.LogService/HealthCheck");
      for (const frame of odd) connection.send(frame);
      connection.socket.end(tail);
      await connection.closed;
    }),
    { numRuns: 200 },
  );
  await healthy(server);
});

test("the server resets a call with too many headers, and only that", async (t) => {
  const server = await start(t, systemClock);
  // Node's client would refuse to send that much by itself.
  const session = connect(`http://127.0.0.1:${server.port}`, { maxSendHeaderBlockLength: 1024 * 1024 });
  t.after(() => session.destroy());
  const call = (headers: Readonly<Record<string, string>>) =>
    session.request({ ":method": "POST", ":path": "/test/Nope", "content-type": "application/grpc", ...headers });
  assert.equal(await statusOf(call({})), "12");
  assert.equal(await statusOf(call(headerFields(14, 1024))), "12");
  for (const size of [17, 120]) await assert.rejects(statusOf(call(headerFields(size, 1024))), /ENHANCE_YOUR_CALM/);
  assert.equal(await statusOf(call({})), "12");
});

test("the server refuses a call with too many headers of a client that has not acknowledged the limit", async (t) => {
  const server = await start(t, new FakeClock());
  using connection = await RawConnection.connect(server.port);
  connection.greet().call(1, "/feeder.LogService/HealthCheck", false, headerFields(130, 100));
  const refusal = await connection.frame(({ streamId }) => streamId === 1);
  assert.equal(refusal.type, frameType.headers);
  assert.equal(refusal.flags & flag.endStream, flag.endStream);
  connection.call(3, "/feeder.LogService/HealthCheck", false, headerFields(100, 100)).data(3, emptyMessage, true);
  await connection.frame(({ type, streamId }) => type === frameType.data && streamId === 3);
});

test("the server lets a connection have 100 streams, and refuses more", async (t) => {
  const { server, calls } = await startHolding(t, new FakeClock());
  using connection = await RawConnection.connect(server.port);
  connection.greet();
  for (let id = 1; id <= 2 * 101; id += 2) connection.call(id, "/test/Hold").data(id, emptyMessage, true);
  const refusal = await connection.frame(({ type }) => type === frameType.rstStream);
  assert.equal(refusal.streamId, 201);
  // REFUSED_STREAM: the client may try again.
  assert.equal(refusal.payload.readUInt32BE(), 7);
  assert.equal(calls.length, 100);
  calls[0]?.end(ok);
  await connection.frame(({ streamId, flags }) => streamId === 1 && (flags & flag.endStream) !== 0);
  connection.call(203, "/test/Hold").data(203, emptyMessage, true);
  await connection.frame(({ type, streamId }) => type === frameType.headers && streamId === 203);
});

test("the server ends a call whose request is not complete after 15 s", async (t) => {
  const clock = new FakeClock();
  const { server, calls } = await startHolding(t, clock);
  using connection = await RawConnection.connect(server.port);
  connection
    .greet()
    .call(1, "/test/Hold")
    .data(1, Buffer.from([0]));
  await connection.roundTrip(3);
  clock.advance(14_999);
  await connection.roundTrip(5);
  assert.deepEqual(
    connection.frames.filter(({ streamId }) => streamId === 1),
    [],
  );
  clock.advance(1);
  const answer = await connection.frame(({ streamId }) => streamId === 1);
  assert.equal(answer.flags & flag.endStream, flag.endStream);
  assert.deepEqual(calls, []);
});

test("drain() sends GOAWAY, lets routes end their calls, and leaves nothing open", async (t) => {
  const { server, calls } = await startHolding(t, systemClock);
  using connection = await RawConnection.connect(server.port);
  connection.greet().call(1, "/test/Hold").data(1, emptyMessage, true);
  await connection.frame(({ streamId }) => streamId === 1);
  using idle = await RawConnection.connect(server.port);
  idle.greet();
  await idle.frame(isSettingsAck);
  let ended = 0;
  await server.drain(async () => {
    await Promise.all([connection, idle].map((each) => each.frame(({ type }) => type === frameType.goaway)));
    for (const call of calls) call.end(ok);
    ended += 1;
  }, AbortSignal.timeout(60_000));
  assert.equal(ended, 1);
  await Promise.all([connection.closed, idle.closed]);
  const last = connection.frames.findLast(({ streamId }) => streamId === 1);
  assert.equal(last?.type, frameType.headers);
  assert.equal((last?.flags ?? 0) & flag.endStream, flag.endStream);
  await assert.rejects(RawConnection.connect(server.port), /ECONNREFUSED/);
});

test("drain() cuts a client that never hangs up itself, and the deadline holds", { timeout: 20_000 }, async (t) => {
  const server = await start(t, systemClock);
  // A frozen process, or a lost node: it takes the end of the connection and does not answer with its own.
  const frozen = tcpConnect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
  t.after(() => frozen.destroy());
  frozen.on("error", () => {});
  await once(frozen, "connect");
  await server.drain(async () => {}, AbortSignal.abort());
});

test("the server hangs up on a client that said GOAWAY and stayed", { timeout: 20_000 }, async (t) => {
  const clock = new FakeClock();
  const server = await start(t, clock);
  using connection = await RawConnection.connect(server.port, "127.0.0.1", { allowHalfOpen: true });
  connection.greet();
  await connection.frame(isSettingsAck);
  connection.send({ type: frameType.goaway, flags: 0, streamId: 0, payload: Buffer.alloc(8) });
  await once(connection.socket, "end");
  clock.advance(60_000);
  // What is sent to a socket that is gone is answered with a reset.
  for (let tries = 0; !connection.socket.destroyed; tries++) {
    assert.ok(tries < 1_000, "the socket is still open");
    connection.socket.write("x");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

test("drain() cuts what is left at its deadline", async (t) => {
  const { server, calls } = await startHolding(t, systemClock);
  using connection = await RawConnection.connect(server.port);
  connection.greet().call(1, "/test/Hold").data(1, emptyMessage, true);
  await connection.frame(({ streamId }) => streamId === 1);
  const deadline = new AbortController();
  const drained = server.drain(() => new Promise(() => {}), deadline.signal);
  await connection.frame(({ type }) => type === frameType.goaway);
  assert.equal(calls[0]?.signal.aborted, false);
  deadline.abort();
  await drained;
  await connection.closed;
  const reason: unknown = calls[0]?.signal.reason;
  assert.ok(reason instanceof StatusError && reason.code === Code.CANCELLED);
});

for (const path of ["/test/Hold", "/feeder.LogService/HealthCheck"]) {
  test(`drain() ends a call to ${path} whose request is not complete, at once`, async (t) => {
    const { server, calls } = await startHolding(t, new FakeClock());
    using connection = await RawConnection.connect(server.port);
    connection.greet().call(1, path);
    await connection.roundTrip(3);
    await server.drain(async () => {}, new AbortController().signal);
    await connection.closed;
    const answer = connection.frames.find(({ streamId }) => streamId === 1);
    assert.equal(answer?.type, frameType.headers);
    assert.deepEqual(calls, []);
  });
}

test("a call's signal aborts when its client cancels, or is gone", async (t) => {
  const { server, calls } = await startHolding(t, systemClock);
  using connection = await RawConnection.connect(server.port);
  connection.greet();
  for (const id of [1, 3]) {
    connection.call(id, "/test/Hold").data(id, emptyMessage, true);
    await connection.frame(({ streamId }) => streamId === id);
  }
  const over = calls.map(({ signal }) => once(signal, "abort"));
  connection.send({ type: frameType.rstStream, flags: 0, streamId: 1, payload: Buffer.from([0, 0, 0, 8]) });
  await over[0];
  assert.equal(calls[1]?.signal.aborted, false);
  connection.socket.resetAndDestroy();
  await over[1];
});

async function start(t: TestContext, clock: Clock, routes?: ReadonlyMap<string, CallHandler>): Promise<RelayServer> {
  const server = await startServer({ port: 0 }, { routes: routes ?? new Map(), clock, log: silentLog });
  t.after(() => server[Symbol.asyncDispose]());
  return server;
}

/** A server with a method whose calls go on for ever. */
async function startHolding(t: TestContext, clock: Clock): Promise<{ server: RelayServer; calls: readonly Call[] }> {
  const calls: Call[] = [];
  const hold: CallHandler = (call) => {
    calls.push(call);
    respondWithTrailers(call.stream);
  };
  return { server: await start(t, clock, new Map([["/test/Hold", hold]])), calls };
}

async function healthy(server: RelayServer): Promise<void> {
  using connection = await RawConnection.connect(server.port);
  connection.greet().call(1, "/feeder.LogService/HealthCheck").data(1, emptyMessage, true);
  const answer = await connection.frame(({ streamId }) => streamId === 1);
  assert.equal(answer.type, frameType.headers);
}

function headerFields(count: number, bytes: number): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, "x".repeat(bytes)]));
}

async function statusOf(stream: ClientHttp2Stream): Promise<string | undefined> {
  const [headers] = (await once(stream, "response")) as [Readonly<Record<string, string>>];
  return headers["grpc-status"];
}

function isPing({ type, flags }: Frame): boolean {
  return type === frameType.ping && (flags & flag.ack) === 0;
}

function isPingAck({ type, flags }: Frame): boolean {
  return type === frameType.ping && (flags & flag.ack) !== 0;
}

function pingsOf(connection: RawConnection): readonly Frame[] {
  return connection.frames.filter(isPing);
}

function isSettingsAck({ type, flags }: Frame): boolean {
  return type === frameType.settings && (flags & flag.ack) !== 0;
}
