import assert from "node:assert/strict";
import { once } from "node:events";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { connect } from "node:http2";
import { connect as connectTcp } from "node:net";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Client, credentials, status } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { startChecker } from "../check/checker.ts";
import type { FeedName } from "./contract.ts";
import { healthNames, rawStream } from "./contract.ts";
import { startFleet } from "./fleet.ts";
import { findMark } from "./mark.ts";
import { queueSlots } from "./subscriber.ts";

/** Of grpc-js' own writable: it says no at the 16th message. */
const grpcSlots = 16;

/** How HTTP/2 begins, with empty SETTINGS. */
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const ping = "\0\0\x08\x06\0\0\0\0\0kubearmo";

async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await setImmediate();
}

/** A connection below gRPC, destroyed at the end of the scope. */
async function rawSession(address: string): Promise<Disposable & { readonly session: ClientHttp2Session }> {
  const session = connect(`http://${address}`);
  session.on("error", () => {});
  await once(session, "remoteSettings");
  return { session, [Symbol.dispose]: () => session.destroy() };
}

/** Resolves when the connection is over, with or without an error. */
async function closed(session: ClientHttp2Session): Promise<void> {
  if (!session.destroyed) await new Promise((resolve) => session.once("close", resolve));
}

function rawSubscribe(session: ClientHttp2Session, feed: FeedName): ClientHttp2Stream {
  const headers = {
    ":method": "POST",
    ":path": rawStream(feed).path,
    "content-type": "application/grpc",
    te: "trailers",
  };
  const stream = session.request(headers);
  stream.on("error", () => {});
  // Filter "all".
  stream.end(Buffer.from([0, 0, 0, 0, 5, 0x0a, 3, 0x61, 0x6c, 0x6c]));
  return stream;
}

async function bytes(stream: ClientHttp2Stream): Promise<Buffer> {
  const [chunk] = (await once(stream, "data")) as [Buffer];
  return chunk;
}

/** The serving status, or the name of the gRPC status. */
function checkHealth(address: string | undefined, service: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const method = healthService["Check"];
    if (method === undefined || address === undefined) throw new Error("Cannot find what to call");
    const client = new Client(address, credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = method;
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service }, (error, reply) => {
      client.close();
      if (error === null) resolve((reply as { status: string }).status);
      else if (error.code === status.NOT_FOUND || error.code === status.UNIMPLEMENTED) resolve(status[error.code]);
      else reject(error);
    });
  });
}

const filters: readonly (readonly [FeedName, string, "open" | "end"])[] = [
  ["alerts", "all", "open"],
  ["alerts", "policy", "open"],
  ["alerts", "system", "end"],
  ["alerts", "", "end"],
  ["alerts", "Policy", "end"],
  ["logs", "all", "open"],
  ["logs", "system", "open"],
  ["logs", "policy", "end"],
  ["logs", "", "end"],
  ["logs", "ALL", "end"],
  ["messages", "", "open"],
  ["messages", "all", "open"],
  ["messages", "anything", "open"],
];

test("Agent takes the filters of KubeArmor and ends streams of others with OK", async (t) => {
  await using fleet = await startFleet({});
  for (const [feed, filter, outcome] of filters) {
    await t.test(`${feed} with "${filter}": ${outcome}`, async () => {
      await using checker = await startChecker(fleet.agent(0).address, { feeds: [feed], filter });
      if (outcome === "end") {
        await checker.untilEnded();
        assert.deepEqual(checker.report().ended, [{ feed, code: "OK", details: "OK" }]);
        return;
      }
      await fleet.untilWatched([feed]);
      fleet.produce(feed, 3);
      await checker.untilEvents(3);
      assert.deepEqual(checker.report().ended, []);
    });
    await until(() => fleet.agent(0).watchers(feed) === 0);
  }
});

test("Agent answers HealthCheck with the same number", async () => {
  await using fleet = await startFleet({});
  await using checker = await startChecker(fleet.agent(0).address, { feeds: [] });
  for (const nonce of [0, 2 ** 31 - 1, -1]) assert.equal(await checker.healthCheck(nonce), nonce);
});

test("Agent counts what a client that does not read loses, and the client sees exactly that gap", async () => {
  await using fleet = await startFleet({});
  const agent = fleet.agent(0);
  await using checker = await startChecker(agent.address, { feeds: ["alerts"] });
  await fleet.untilWatched(["alerts"]);
  checker.pause();
  const counts = () => agent.counts().lives[0]?.feeds.alerts.subscribers[0];
  while ((counts()?.dropped ?? 0) < 1500) {
    agent.produce("alerts", 200);
    await setImmediate();
  }
  const full = counts();
  assert.ok(full !== undefined);
  assert.equal(full.offered, agent.produced("alerts"));
  assert.equal(full.offered, full.sent + full.dropped + full.queued);
  checker.resume();
  await checker.untilEvents(full.offered - full.dropped);
  agent.produce("alerts", 1);
  await checker.untilEvents(full.offered - full.dropped + 1);
  const { lost, duplicates, reordered, garbage } = checker.report();
  assert.deepEqual(
    { lost, duplicates, reordered, garbage },
    { lost: full.dropped, duplicates: 0, reordered: 0, garbage: 0 },
  );
});

test("Agent keeps 1,000 events of a burst and drops the rest, for each subscriber alone", async () => {
  await using fleet = await startFleet({});
  const agent = fleet.agent(0);
  await using first = await startChecker(agent.address, { feeds: ["logs"] });
  await using second = await startChecker(agent.address, { feeds: ["logs"] });
  await fleet.untilWatched(["logs"], 2);
  agent.produce("logs", 3000);
  const subscribers = agent.counts().lives[0]?.feeds.logs.subscribers ?? [];
  const kept = grpcSlots + queueSlots;
  assert.deepEqual(
    subscribers.map(({ sent, queued, dropped }) => ({ sent, queued, dropped })),
    [1, 2].map(() => ({ sent: grpcSlots, queued: queueSlots, dropped: 3000 - kept })),
  );
  await Promise.all([first.untilEvents(kept), second.untilEvents(kept)]);
  assert.deepEqual(
    [first, second].map((checker) => checker.report().lost),
    [0, 0],
  );
});

test("Agent numbers what it produces from 1, by feed, whether or not somebody listens", async () => {
  await using fleet = await startFleet({ count: 2 });
  const agent = fleet.agent(1);
  agent.produce("alerts", 5);
  await using checker = await startChecker(agent.address);
  await fleet.agent(1).untilWatched("messages");
  agent.produce("alerts", 2);
  agent.produce("logs", 1);
  agent.produce("messages", 4);
  await checker.untilEvents(7);
  const sequences = checker
    .report()
    .sequences.map(({ agent: name, epoch, feed, first, last }) => ({ name, epoch, feed, first, last }));
  const { epoch } = agent;
  assert.deepEqual(
    new Set(sequences),
    new Set([
      { name: "agent-1", epoch, feed: "alerts", first: 6, last: 7 },
      { name: "agent-1", epoch, feed: "logs", first: 1, last: 1 },
      { name: "agent-1", epoch, feed: "messages", first: 1, last: 4 },
    ]),
  );
  assert.equal(agent.counts().lives[0]?.feeds.alerts.unwatched, 5);
});

test("Agent pings a connection that has no calls", async () => {
  await using fleet = await startFleet({});
  using raw = await rawSession(fleet.agent(0).address);
  await once(raw.session, "ping");
  await once(raw.session, "ping");
});

test("Agent cuts a connection that does not answer its pings", async () => {
  await using fleet = await startFleet({ keepalive: { timeMs: 10, timeoutMs: 50 } });
  const { address } = fleet.agent(0);
  const socket = connectTcp(Number(address.split(":")[1]), "127.0.0.1");
  socket.write(preface);
  let received = "";
  for await (const chunk of socket) received += (chunk as Buffer).toString("hex");
  assert.match(received, /0000080600/, "a PING came before");
});

test("Agent punishes a client that pings too often with GOAWAY too_many_pings, and hangs up", async () => {
  await using fleet = await startFleet({});
  const { address } = fleet.agent(0);
  const socket = connectTcp(Number(address.split(":")[1]), "127.0.0.1");
  socket.write(preface + ping.repeat(4));
  let received = "";
  for await (const chunk of socket) received += (chunk as Buffer).toString("latin1");
  assert.ok(received.endsWith("\x0btoo_many_pings"), received);
  assert.equal(fleet.agent(0).counts().clientPings, 4);
});

test("Agent forgives pings of a client to which it sends events", async () => {
  await using fleet = await startFleet({});
  const agent = fleet.agent(0);
  using raw = await rawSession(agent.address);
  const stream = rawSubscribe(raw.session, "alerts");
  await agent.untilWatched("alerts");
  for (let round = 0; round < 4; round += 1) {
    const heard = bytes(stream);
    agent.produce("alerts", 1);
    await heard;
    for (let count = 0; count < 3; count += 1) {
      await new Promise<void>((resolve, reject) => {
        raw.session.ping((error) => (error === null ? resolve() : reject(error)));
      });
    }
  }
  assert.equal(agent.counts().clientPings, 12);
});

test("Agent serves grpc.health.v1 on a port of its own and not among the streams", async () => {
  await using fleet = await startFleet({ healthPort: 0 });
  const agent = fleet.agent(0);
  for (const name of ["", ...healthNames]) assert.equal(await checkHealth(agent.healthAddress, name), "SERVING", name);
  assert.equal(await checkHealth(agent.healthAddress, "kvm.KVM"), "NOT_FOUND");
  assert.equal(await checkHealth(agent.address, "feeder.LogService"), "UNIMPLEMENTED");
});

test("Agent.hang() answers nothing on old and new connections until resume()", async () => {
  await using fleet = await startFleet({ count: 2 });
  const agent = fleet.agent(0);
  using raw = await rawSession(agent.address);
  const stream = rawSubscribe(raw.session, "alerts");
  await fleet.agent(0).untilWatched("alerts");
  agent.produce("alerts", 1);
  await bytes(stream);

  agent.hang();
  assert.equal(agent.produce("alerts", 1), 0, "a stopped process produces nothing");
  let resumed = false;
  const answers: [string, boolean][] = [];
  const ponged = new Promise<void>((resolve) => {
    raw.session.ping(() => {
      answers.push(["old connection", resumed]);
      resolve();
    });
  });
  const late = connect(`http://${agent.address}`);
  late.once("remoteSettings", () => answers.push(["new connection", resumed]));
  await once(late, "connect");
  // As long as it takes the other agent to answer twice.
  await using other = await startChecker(fleet.agent(1).address);
  await other.healthCheck(1);

  resumed = true;
  agent.resume();
  await ponged;
  if (answers.length < 2) await once(late, "remoteSettings");
  assert.deepEqual(
    new Set(answers),
    new Set([
      ["old connection", true],
      ["new connection", true],
    ]),
  );
  // What was held once is not sent again.
  agent.hang();
  agent.resume();
  agent.produce("alerts", 1);
  assert.equal(findMark(await bytes(stream))?.number, 2);
  late.destroy();
});

test("Agent.hang() does not close connections, although the server above gives up on them", async () => {
  const clock = new FakeClock();
  await using fleet = await startFleet({ count: 2, keepalive: { timeMs: 10, timeoutMs: 20 } }, { clock });
  const agent = fleet.agent(0);
  using raw = await rawSession(agent.address);
  rawSubscribe(raw.session, "alerts");
  await agent.untilWatched("alerts");
  agent.hang({ forMs: 60_000 });
  await until(() => agent.watchers("alerts") === 0);
  // As long as it takes the other agent to answer.
  await using _other = await startChecker(fleet.agent(1).address);
  assert.equal(agent.counts().connections, 1);
  assert.equal(raw.session.destroyed, false);
  clock.advance(60_000);
  await closed(raw.session);
});

test("Agent.reset() resets TCP", async () => {
  await using fleet = await startFleet({});
  const socket = connectTcp(Number(fleet.addresses[0]?.split(":")[1]), "127.0.0.1");
  await until(() => fleet.agent(0).counts().connections === 1);
  fleet.agent(0).reset();
  socket.resume();
  await assert.rejects(once(socket, "close"), { code: "ECONNRESET" });
});

test("Agent.goaway() lets streams go on, then cuts", async () => {
  const clock = new FakeClock();
  await using fleet = await startFleet({}, { clock });
  const agent = fleet.agent(0);
  using raw = await rawSession(agent.address);
  const stream = rawSubscribe(raw.session, "logs");
  await agent.untilWatched("logs");
  agent.goaway({ code: 0, debug: "maintenance", cutAfterMs: 1000 });
  const [code, lastStreamId, debug] = (await once(raw.session, "goaway")) as [number, number, Buffer];
  assert.deepEqual(
    { code, lastStreamId, debug: debug.toString() },
    { code: 0, lastStreamId: 2 ** 31 - 1, debug: "maintenance" },
  );
  agent.produce("logs", 1);
  assert.equal(findMark(await bytes(stream))?.number, 1);
  clock.advance(1000);
  await closed(raw.session);
});

test("Agent.garbage() sends broken messages, prefixes and frames", async () => {
  await using fleet = await startFleet({});
  const agent = fleet.agent(0);
  await using checker = await startChecker(agent.address, { feeds: ["alerts"] });
  await agent.untilWatched("alerts");
  agent.garbage("protobuf", "alerts");
  await checker.untilGarbage();
  agent.produce("alerts", 1);
  await checker.untilEvents(1);
  assert.deepEqual(checker.report().ended, [], "the stream goes on");

  using raw = await rawSession(agent.address);
  const stream = rawSubscribe(raw.session, "logs");
  await agent.untilWatched("logs");
  agent.garbage("flag");
  agent.produce("logs", 1);
  assert.equal((await bytes(stream))[0], 0xff);
  agent.garbage("length");
  agent.produce("logs", 1);
  assert.equal((await bytes(stream)).readUInt32BE(1), 0xffffffff);
  agent.garbage("http2");
  await closed(raw.session);
  await checker.untilEnded();
});

test("Agent.endStreams() ends one feed with that status and leaves the others", async () => {
  await using fleet = await startFleet({});
  const agent = fleet.agent(0);
  await using checker = await startChecker(agent.address);
  await fleet.untilWatched();
  agent.endStreams("alerts");
  await checker.untilEnded();
  agent.produce("logs", 2);
  await checker.untilEvents(2);
  assert.deepEqual(
    checker.report().ended.map(({ feed, code }) => ({ feed, code })),
    [{ feed: "alerts", code: "INTERNAL" }],
  );
  assert.equal(agent.watchers("alerts"), 0);
});

test("Agent.restart() refuses connections while down, then is a new process at the same address", async () => {
  const clock = new FakeClock(1000);
  await using fleet = await startFleet({}, { clock });
  const agent = fleet.agent(0);
  const { address, epoch, name } = agent;
  await using checker = await startChecker(address, { feeds: ["alerts"], reconnect: true });
  await agent.untilWatched("alerts");
  agent.produce("alerts", 3);
  await checker.untilEvents(3);

  const restarted = agent.restart({ downMs: 5000 });
  await until(() => clock.pendingTimers === 1);
  await assert.rejects(once(connectTcp(Number(address.split(":")[1]), "127.0.0.1"), "connect"), {
    code: "ECONNREFUSED",
  });
  clock.advance(5000);
  await restarted;
  assert.equal(agent.address, address);
  assert.equal(agent.name, name);
  assert.notEqual(agent.epoch, epoch);

  await agent.untilWatched("alerts");
  agent.produce("alerts", 2);
  await checker.untilEvents(5);
  const { sequences, ended } = checker.report();
  assert.deepEqual(
    sequences.map(({ epoch: its, first, last }) => ({ its, first, last })),
    [
      { its: epoch, first: 1, last: 3 },
      { its: agent.epoch, first: 1, last: 2 },
    ],
  );
  assert.equal(ended.length, 1);
  assert.deepEqual(
    agent.counts().lives.map((life) => life.feeds.alerts.sent),
    [3, 2],
  );
});

test("Agent.replace() is another pod at the same address", async () => {
  await using fleet = await startFleet({});
  const agent = fleet.agent(0);
  const { address } = agent;
  await agent.replace();
  assert.deepEqual([agent.address, agent.name, agent.host], [address, "agent-0-r1", "node-0"]);
  await using checker = await startChecker(address, { feeds: ["alerts"] });
  await agent.untilWatched("alerts");
  agent.produce("alerts", 1);
  await checker.untilEvents(1);
  assert.equal(checker.report().sequences[0]?.agent, "agent-0-r1");
});

test("Agent.slowHealth() answers health checks later", async () => {
  const clock = new FakeClock();
  await using fleet = await startFleet({}, { clock });
  await using checker = await startChecker(fleet.agent(0).address, { feeds: [] });
  fleet.agent(0).slowHealth(3000);
  let answered = false;
  const answer = checker.healthCheck(7).then((reply) => {
    answered = true;
    return reply;
  });
  await until(() => clock.pendingTimers === 1);
  assert.equal(answered, false);
  clock.advance(3000);
  assert.equal(await answer, 7);
});

test("Agent disposal ends what a hung agent holds", async () => {
  const fleet = await startFleet({});
  using raw = await rawSession(fleet.agent(0).address);
  fleet.agent(0).hang();
  await fleet[Symbol.asyncDispose]();
  await closed(raw.session);
});
