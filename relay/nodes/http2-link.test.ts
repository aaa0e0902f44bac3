import assert from "node:assert/strict";
import { once } from "node:events";
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from "node:http2";
import { createServer as createTcpServer, type AddressInfo, type OnReadOpts, type Server, Socket } from "node:net";
import { test } from "node:test";
import { status as Code } from "@grpc/grpc-js";
import { systemClock } from "../../lib/process/clock.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { type Feed, feeds } from "../feeds.ts";
import { encodeFrame, encodeWindowUpdate, Flag, FrameType, frameHeaderBytes } from "../http2/frame.ts";
import { encodeFields } from "../http2/hpack-encoder.ts";
import { connectionWindowBytes, http2Links, streamWindowBytes } from "./http2-link.ts";
import type { Link, LinkEvents } from "./link.ts";
import { plaintext, type Transport } from "./open-socket.ts";

const limit = { timeout: 20_000 };
const deadlines = { connectDeadlineMs: 1_000, healthDeadlineMs: 2_000 };
const never = new AbortController().signal;
const nonce = 64; // Of a random number of 0.5.
const echo = frame(Buffer.of(0x08, nonce));
const alerts: Feed = feeds[0] ?? assert.fail();

/** Time stands still, and the event loop turns. */
class LoopClock extends FakeClock {
  override soon(callback: () => void): void {
    setImmediate(callback);
  }
}

type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** An agent that answers every call so, and a link to it. */
async function setup(answer: Answer, clock: FakeClock = new LoopClock(), settings: Settings = {}) {
  const server = createServer({ settings });
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

test("Link.watch() hands on whole events, unchanged and in order, whatever their sizes", limit, async () => {
  // Sizes around those of frames, reads and windows; each event is full of its ordinal.
  const sizes = [
    0,
    1,
    16_379,
    16_384,
    65_536,
    300_000,
    4 * 1024 * 1024,
    7,
    700,
    ...Array.from({ length: 500 }, () => 660),
  ];
  const events = sizes.map((size, ordinal) => frame(Buffer.alloc(size, ordinal)));
  await using agent = await setup((stream) => {
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    for (const event of events) stream.write(event);
    stream.end();
  });
  const runs: Buffer[] = [];
  let count = 0;
  const onRun = (run: Buffer, inRun: number) => {
    runs.push(Buffer.from(run));
    count += inRun;
  };
  const end = await agent.link.watch(alerts, { onRun, onAnswer() {} }, never);
  assert.deepEqual(end, { kind: "status", code: Code.OK, message: "OK" });
  assert.equal(count, events.length);
  assert.ok(Buffer.concat(runs).equals(Buffer.concat(events)));
});

test("Link.watch() reads no more in a turn than it may, and all of it in the end", limit, async () => {
  const events = 4_000;
  // Its turns end when the test says so.
  const clock = new FakeClock();
  await using agent = await setup((stream) => {
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.concat(Array.from({ length: events }, () => frame(Buffer.alloc(995)))));
  }, clock);
  let inTurn = 0;
  const onRun = (_: Buffer, inRun: number) => {
    inTurn += inRun;
  };
  const end = agent.link.watch(alerts, { onRun, onAnswer() {} }, never);
  let [total, turns] = [0, 0];
  do {
    inTurn = 0;
    clock.advance(0);
    for (let loops = 0; loops < 20; loops++) await new Promise((resolve) => setImmediate(resolve));
    // 256 KiB and the read that went beyond it.
    assert.ok(inTurn <= 320, `${inTurn} KB in a turn`);
    if (inTurn > 0) turns++;
    total += inTurn;
  } while (total < events);
  assert.equal((await end).kind, "status");
  assert.equal(total, events);
  assert.ok(turns > 1);
});

test("Link.watch() hands on what an agent said before it died, though it also wanted answers", limit, async () => {
  const events = 4_000;
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => {});
    socket.once("data", () => {
      const data = encodeFrame(FrameType.data, 0, 1, frame(Buffer.alloc(50)));
      const ping = encodeFrame(FrameType.ping, 0, 0, Buffer.alloc(8));
      const some = Buffer.concat(Array.from({ length: 500 }, () => data));
      const head = encodeFrame(FrameType.headers, Flag.endHeaders, 1, encodeFields([[":status", "200"]]));
      const settings = encodeFrame(FrameType.settings, 0, 0, Buffer.alloc(0));
      socket.write(Buffer.concat([settings, head, ...Array.from({ length: events / 500 }, () => [some, ping]).flat()]));
      // All of it is in the kernel's hands, before the other side has read any of it.
      assert.equal(socket.writableLength, 0);
      socket.destroy();
    });
  });
  const port = await listen(server);
  const lost: Error[] = [];
  const linkEvents: LinkEvents = { onHeard() {}, onLost: (reason) => lost.push(reason), onGoaway() {} };
  const open = http2Links(deadlines, { clock: systemClock, random: () => 0.5 });
  const link = await open({ host: "127.0.0.1", port }, linkEvents, never);
  let count = 0;
  const onRun = (_: Buffer, inRun: number) => {
    count += inRun;
  };
  assert.equal((await link.watch(alerts, { onRun, onAnswer() {} }, never)).kind, "broken");
  assert.equal(count, events);
  assert.deepEqual(
    lost.map(({ message }) => message),
    ["Agent closed the connection"],
  );
  await close(server);
});

test("OpenLink opens windows again that were used up in a read that happened to empty the socket", limit, async () => {
  const clock = new LoopClock();
  const opened = Promise.withResolvers<void>();
  const leftWith = Promise.withResolvers<number | undefined>();
  let isOpened = false;
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    const update = encodeWindowUpdate(1, 0).subarray(0, frameHeaderBytes);
    let received = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (!received.includes(update)) return;
      isOpened = true;
      opened.resolve();
    });
    // GOAWAY without a text has the length of 8.
    socket.on("close", () => leftWith.resolve(received.at(-frameHeaderBytes - 8 + 3)));
  });
  const port = await listen(server);
  const onreads: OnReadOpts[] = [];
  const transport: Transport = {
    ...plaintext,
    connect(endpoint, onread) {
      onreads.push(onread);
      return plaintext.connect(endpoint, onread);
    },
  };
  const linkEvents: LinkEvents = { onHeard() {}, onLost() {}, onGoaway() {} };
  const open = http2Links(deadlines, { clock, random: () => 0.5 }, transport);
  const link = await open({ host: "127.0.0.1", port }, linkEvents, never);
  const ended = link.watch(alerts, { onRun() {}, onAnswer() {} }, never);
  const onread = onreads[0] ?? assert.fail("Nothing was connected");
  const { buffer } = onread;
  assert.ok(Buffer.isBuffer(buffer));
  // An agent uses its window up, to the last frame, and every read is full: no other comes before the window is open again.
  const quarter = buffer.length / 4;
  const content = Buffer.alloc(quarter - frameHeaderBytes);
  const start = Buffer.concat([
    encodeFrame(FrameType.settings, 0, 0, Buffer.alloc(0)),
    encodeFrame(FrameType.headers, Flag.endHeaders, 1, encodeFields([[":status", "200"]])),
  ]);
  const filler = encodeFrame(0x77, 0, 0, Buffer.alloc(quarter - frameHeaderBytes - start.length));
  const data = encodeFrame(FrameType.data, 0, 1, content);
  const said = Buffer.concat([start, filler, ...Array.from({ length: 511 }, () => data)]);
  assert.equal(said.length % buffer.length, 0);
  for (let position = 0; position < said.length; position += buffer.length) {
    said.copy(buffer, 0, position);
    onread.callback(buffer.length, buffer);
  }
  for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isOpened, false);
  for (let passedMs = 0; passedMs <= 500; passedMs += 2) {
    clock.advance(2);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await opened.promise;
  const unknown = encodeFrame(0x77, 0, 0, Buffer.alloc(quarter - frameHeaderBytes));
  buffer.set(Buffer.concat([unknown, unknown, unknown, unknown]));
  onread.callback(buffer.length, buffer);
  link.destroy();
  await ended;
  assert.equal(await leftWith.promise, FrameType.goaway);
  await close(server);
});

const badEvents: Record<string, { bytes: Buffer; fault: string; good: number }> = {
  "is larger than 4 MiB": { bytes: Buffer.from([0, 0, 0x40, 0, 1]), fault: "too-large", good: 1 },
  "is compressed": { bytes: Buffer.from([1, 0, 0, 0, 0]), fault: "compressed", good: 1 },
  "is cut short": { bytes: Buffer.from([0, 0, 0, 0, 2, 1]), fault: "truncated", good: 1 },
};
for (const [sentence, { bytes, fault, good }] of Object.entries(badEvents)) {
  test(`Link.watch() ends that stream alone when an event ${sentence}`, limit, async () => {
    await using agent = await setup((stream, headers) => {
      if (headers[":path"] !== alerts.path) return reply(echo, Code.OK)(stream, headers);
      stream.respond({ ":status": 200 });
      stream.end(Buffer.concat([frame(Buffer.from("good")), bytes]));
    });
    let events = 0;
    const onRun = (_: Buffer, inRun: number) => {
      events += inRun;
    };
    const end = await agent.link.watch(alerts, { onRun, onAnswer() {} }, never);
    assert.deepEqual([end.kind, end.kind === "framing" && end.fault, events], ["framing", fault, good]);
    await agent.link.checkHealth();
    assert.deepEqual(agent.lost, []);
  });
}

test("Link.watch() cancels its call when it is told to, even before it began", limit, async () => {
  const reset = Promise.withResolvers<number>();
  await using agent = await setup((stream) => {
    stream.on("close", () => reset.resolve(stream.rstCode));
    stream.respond({ ":status": 200 });
  });
  const stop = new AbortController();
  const ended = agent.link.watch(alerts, { onRun() {}, onAnswer: () => stop.abort() }, stop.signal);
  assert.equal((await ended).kind, "broken");
  assert.equal(await reset.promise, 8);
  const again = await agent.link.watch(alerts, { onRun() {}, onAnswer: assert.fail }, stop.signal);
  assert.equal(again.kind, "broken");
});

test("Link.checkHealth() succeeds when the agent takes three streams and has answered one of them", limit, async () => {
  await using agent = await setup((stream) => stream.respond({ ":status": 200 }), new LoopClock(), {
    maxConcurrentStreams: 3,
  });
  const stop = new AbortController();
  const answered = Promise.withResolvers<void>();
  const watching = feeds.map((feed) =>
    agent.link.watch(feed, { onRun() {}, onAnswer: () => answered.resolve() }, stop.signal),
  );
  await Promise.all([agent.link.checkHealth(), answered.promise]);
  stop.abort();
  await Promise.all(watching);
  assert.equal(agent.clock.pendingTimers, 0);
});

test("Link.checkHealth() that waits for a feed to be answered fails when the link is destroyed", limit, async () => {
  await using agent = await setup((stream) => stream.close(7));
  const failed = assert.rejects(agent.link.checkHealth(), /REFUSED_STREAM/);
  while (agent.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  // Another call's refusal comes behind that one's.
  assert.deepEqual(await watchOnce(agent.link), { end: "refused", isAnswered: false });
  agent.link.destroy();
  await failed;
  assert.equal(agent.clock.pendingTimers, 0);
});

test("plaintext.connect() sends small frames without waiting for others", (context) => {
  const connected = context.mock.method(Socket.prototype, "connect", function (this: Socket) {
    return this;
  });
  const onread = { buffer: Buffer.alloc(1), callback: () => true };
  plaintext.connect({ host: "10.0.0.1", port: 1 }, onread).destroy();
  const options = JSON.stringify(connected.mock.calls[0]?.arguments);
  assert.match(options, /"noDelay":true/);
});

test("Link.watch() is refused by an agent that says GOAWAY before it took the call", limit, async () => {
  // SETTINGS, then GOAWAY with NO_ERROR that takes no stream.
  const goaway = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.write(goaway));
  });
  const port = await listen(server);
  const lost = Promise.withResolvers<Error>();
  const events: LinkEvents = { onHeard() {}, onLost: lost.resolve, onGoaway() {} };
  const open = http2Links(deadlines, { clock: new FakeClock(), random: () => 0.5 });
  const link = await open({ host: "127.0.0.1", port }, events, never);
  assert.deepEqual(await watchOnce(link), { end: "refused", isAnswered: false });
  assert.equal(link.isUsable, false);
  // Nothing is open any more, so nothing has to be waited for.
  assert.match((await lost.promise).message, /ended the connection/);
  await close(server);
});

test("Link.watch() breaks when the connection is cut, and the link is lost once", limit, async () => {
  await using agent = await setup((stream) => stream.respond({ ":status": 200 }));
  const cut = agent.link.watch(alerts, { onRun() {}, onAnswer: () => agent.session().destroy() }, never);
  assert.equal((await cut).kind, "broken");
  agent.link.destroy();
  // The socket says more than once that it is gone.
  for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    agent.lost.map(({ message }) => message),
    ["Agent closed the connection"],
  );
});

test("OpenLink answers the agent's pings, and tells of them", limit, async () => {
  let heard = 0;
  const server = createServer();
  const sessions = once(server, "session");
  const port = await listen(server);
  const events: LinkEvents = { onHeard: () => (heard += 1), onLost() {}, onGoaway() {} };
  const open = http2Links(deadlines, { clock: new FakeClock(), random: () => 0.5 });
  // By name, which both families may answer.
  const link = await open({ host: "localhost", port }, events, never);
  const [session] = (await sessions) as [ServerHttp2Session];
  for (let pings = 1; pings <= 3; pings++) {
    const before = heard;
    await new Promise<void>((resolve, reject) => {
      session.ping((error) => (error === null ? resolve() : reject(error)));
    });
    assert.ok(heard > before);
  }
  link.destroy();
  await close(server);
});

test("OpenLink gives up when it is told to, before and while it connects", limit, async () => {
  const server = createTcpServer();
  const port = await listen(server);
  const clock = new FakeClock();
  const events: LinkEvents = { onHeard() {}, onLost: () => assert.fail("Was never up"), onGoaway() {} };
  const open = http2Links(deadlines, { clock, random: () => 0.5 });
  const stop = new AbortController();
  const opening = open({ host: "127.0.0.1", port }, events, stop.signal);
  stop.abort(new Error("Not needed any more"));
  await assert.rejects(opening, /Not needed any more/);
  await assert.rejects(open({ host: "127.0.0.1", port }, events, stop.signal), /Not needed any more/);
  await close(server);
  await assert.rejects(open({ host: "127.0.0.1", port }, events, never), /Cannot connect to 127\.0\.0\.1:\d+/);
  assert.equal(clock.pendingTimers, 0);
});

async function watchOnce(link: Link): Promise<{ end: string; isAnswered: boolean }> {
  let isAnswered = false;
  const onAnswer = () => {
    isAnswered = true;
  };
  const { kind } = await link.watch(alerts, { onRun() {}, onAnswer }, never);
  return { end: kind, isAnswered };
}
