import assert from "node:assert/strict";
import { once } from "node:events";
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { status as Code } from "@grpc/grpc-js";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { type Feed, feeds } from "../feeds.ts";
import { connectionWindowBytes, http2Links, streamWindowBytes } from "./http2-link.ts";
import type { Link, LinkEvents } from "./link.ts";

const limit = { timeout: 20_000 };
const deadlines = { connectDeadlineMs: 1_000, healthDeadlineMs: 2_000 };
const never = new AbortController().signal;
const nonce = 64; // Of a random number of 0.5.
const echo = frame(Buffer.of(0x08, nonce));
const alerts: Feed = feeds[0] ?? assert.fail();

type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** An agent that answers every call so, and a link to it. */
async function setup(answer: Answer) {
  const clock = new FakeClock();
  const server = createServer();
  const sessions: ServerHttp2Session[] = [];
  const calls: IncomingHttpHeaders[] = [];
  server.on("session", (session) => sessions.push(session));
  server.on("stream", (stream, headers) => {
    // The client resets calls that it gives up.
    stream.on("error", () => {});
    calls.push(headers);
    answer(stream, headers);
  });
  const port = await listen(server);
  const lost: Error[] = [];
  const events: LinkEvents = { onHeard() {}, onLost: (reason) => lost.push(reason), onGoaway() {} };
  const link = await http2Links(deadlines, { clock, random: () => 0.5 })({ host: "127.0.0.1", port }, events, never);
  return {
    clock,
    link,
    lost,
    calls,
    session: () => sessions[0] ?? assert.fail("No session"),
    async [Symbol.asyncDispose]() {
      link.destroy();
      await close(server);
    },
  };
}

async function listen(server: Http2Server | Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function close(server: Http2Server | Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function frame(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function reply(message: Buffer, code: Code): Answer {
  return (stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(code) }));
    stream.end(message);
  };
}

/** One headers frame and no more, as servers refuse calls. */
function refuse(code: Code): Answer {
  return (stream) => stream.respond({ ":status": 200, "grpc-status": String(code) }, { endStream: true });
}

const healthAnswers: Record<string, { answer: Answer; error?: RegExp }> = {
  "the number comes back": { answer: reply(echo, Code.OK) },
  "the agent has no HealthCheck": { answer: refuse(Code.UNIMPLEMENTED) },
  "another number comes back": { answer: reply(frame(Buffer.of(0x08, 3)), Code.OK), error: /another number/ },
  "nothing comes back": { answer: reply(Buffer.alloc(0), Code.OK), error: /another number/ },
  "the agent fails": { answer: reply(echo, Code.INTERNAL), error: /INTERNAL/ },
  "the agent refuses": { answer: refuse(Code.UNAUTHENTICATED), error: /UNAUTHENTICATED/ },
  "a web server answers": {
    answer: (stream) => stream.respond({ ":status": 404 }, { endStream: true }),
    error: /HTTP status 404/,
  },
  "the agent resets the call": { answer: (stream) => stream.close(2), error: /HealthCheck failed/ },
  "more comes back than was asked for, without an end": {
    answer(stream) {
      stream.respond({ ":status": 200 });
      stream.write(Buffer.concat([echo, Buffer.alloc(1_000)]));
    },
    error: /more than the number/,
  },
};
for (const [sentence, { answer, error }] of Object.entries(healthAnswers)) {
  test(`Link.checkHealth() ${error === undefined ? "succeeds" : "fails"} when ${sentence}`, limit, async () => {
    await using agent = await setup(answer);
    if (error === undefined) await agent.link.checkHealth();
    else await assert.rejects(agent.link.checkHealth(), error);
    assert.equal(agent.clock.pendingTimers, 0);
  });
}

test(
  "Link.checkHealth() gives up at its deadline on an agent that trickles, and tells it of the deadline",
  limit,
  async () => {
    const opened = Promise.withResolvers<ServerHttp2Stream>();
    await using agent = await setup((stream) => {
      stream.respond({ ":status": 200 });
      opened.resolve(stream);
    });
    const health = agent.link.checkHealth();
    const failed = assert.rejects(health, /no answer in 2000 ms/);
    const stream = await opened.promise;
    for (const byte of echo) {
      stream.write(Buffer.of(byte));
      agent.clock.advance(300);
    }
    await failed;
    assert.equal(agent.calls[0]?.["grpc-timeout"], "2000m");
    assert.equal(agent.clock.pendingTimers, 0);
  },
);

test("OpenLink grants the agent windows for bursts, on every stream and on the connection", limit, async () => {
  await using agent = await setup(reply(echo, Code.OK));
  await agent.link.checkHealth();
  assert.equal(agent.session().remoteSettings.initialWindowSize, streamWindowBytes);
  assert.equal(agent.session().state.remoteWindowSize, connectionWindowBytes - echo.length);
  assert.ok(streamWindowBytes >= 5_000 * 600, "5,000 events of 600 bytes are one burst");
});

test("OpenLink gives up at its deadline, by its clock, and hangs up", limit, async () => {
  // There is no black hole on loopback; time passes before the connection can be up.
  const clock = new FakeClock();
  const server = createTcpServer();
  const port = await listen(server);
  const events: LinkEvents = { onHeard() {}, onLost: () => assert.fail("Was never up"), onGoaway() {} };
  const opening = http2Links(deadlines, { clock, random: () => 0.5 })({ host: "127.0.0.1", port }, events, never);
  clock.advance(deadlines.connectDeadlineMs);
  await assert.rejects(opening, /Cannot connect to 127\.0\.0\.1:\d+ in 1000 ms/);
  assert.equal(clock.pendingTimers, 0);
  await close(server);
});

interface WatchCase {
  readonly answer: Answer;
  readonly end: string;
  readonly isAnswered: boolean;
}

const watches: Record<string, WatchCase> = {
  "a status in trailers": { answer: reply(frame(Buffer.of(1)), Code.INTERNAL), end: "status", isAnswered: true },
  "a failure before the first event": { answer: refuse(Code.INTERNAL), end: "status", isAnswered: false },
  "a feed that it does not have": { answer: refuse(Code.UNIMPLEMENTED), end: "refused", isAnswered: false },
  "an HTTP status": {
    answer: (stream) => stream.respond({ ":status": 503 }, { endStream: true }),
    end: "refused",
    isAnswered: false,
  },
  "a refused stream": { answer: (stream) => stream.close(7), end: "refused", isAnswered: false },
  "a reset": { answer: (stream) => stream.close(2), end: "broken", isAnswered: false },
};
for (const [sentence, { answer, end, isAnswered }] of Object.entries(watches)) {
  test(`Link.watch() ends as "${end}" when the agent answers with ${sentence}`, limit, async () => {
    await using agent = await setup(answer);
    assert.deepEqual(await watchOnce(agent.link), { end, isAnswered });
  });
}

test("Link.watch() on a connection that was lost is refused", limit, async () => {
  await using agent = await setup(reply(echo, Code.OK));
  await agent.link.checkHealth();
  assert.equal(agent.link.isUsable, true);
  const server = agent.session();
  server.destroy();
  await once(server, "close");
  while (agent.lost.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(agent.link.isUsable, false);
  assert.deepEqual(await watchOnce(agent.link), { end: "refused", isAnswered: false });
});

test("Link.destroy() closes the socket of an agent that said GOAWAY and stays", limit, async () => {
  // SETTINGS, then GOAWAY with NO_ERROR, and no end of its own.
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  const goaway = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.resume();
    socket.write(Buffer.concat([settings, goaway]));
  });
  const connected = once(server, "connection");
  const port = await listen(server);
  const saidGoaway = Promise.withResolvers<void>();
  const events: LinkEvents = { onHeard() {}, onLost() {}, onGoaway: () => saidGoaway.resolve() };
  const open = http2Links(deadlines, { clock: new FakeClock(), random: () => 0.5 });
  const link = await open({ host: "127.0.0.1", port }, events, never);
  const [socket] = (await connected) as [Socket];
  await saidGoaway.promise;
  link.destroy();
  // What is sent to a socket that is gone is answered with a reset.
  for (let tries = 0; !socket.destroyed; tries++) {
    assert.ok(tries < 1_000, "the socket is still open");
    socket.write("x");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await close(server);
});

async function watchOnce(link: Link): Promise<{ end: string; isAnswered: boolean }> {
  let isAnswered = false;
  const onAnswer = () => {
    isAnswered = true;
  };
  const { kind } = await link.watch(alerts, { onRun() {}, onAnswer }, never);
  return { end: kind, isAnswered };
}
