import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { test, type TestContext } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { feeds } from "../../relay/feeds.ts";
import { unaccounted } from "../../relay/hub/counts.ts";
import { Hub } from "../../relay/hub/hub.ts";
import type { CallHandler } from "../../relay/server/call.ts";
import { type RelayServer, type ServerLimits, startServer } from "../../relay/server/server.ts";
import { Code, ok, respondWithTrailers } from "../../relay/server/status.ts";
import { Subscriptions } from "../../relay/server/watch.ts";
import { encodeFrame } from "../../relay/wire/frame-cutter.ts";
import { RawConnection } from "./raw-http2.ts";

const alerts = "/feeder.LogService/WatchAlerts";
/** A RequestMessage whose Filter is "all". */
const filterAll = encodeFrame(Buffer.from([0x0a, 3, ...Buffer.from("all")]));
const event = encodeFrame(Buffer.from("an event"));
/** For what the server learns from sockets, after the client. */
const patience = { interval: 5, timeout: 30_000 };
const routes = new Map<string, CallHandler>([
  ["/test/Hold", (call) => respondWithTrailers(call.stream)],
  ["/test/End", (call) => call.end(ok)],
]);

test("Subscriptions refuses the subscriber over its limit, and admits one when another has left", async (t) => {
  const { server, subscriptions } = await startRelay(t, 2);
  const session = openSession(t, server);
  const first = await admitted(openCall(session, alerts, filterAll));
  await admitted(openCall(session, "/feeder.LogService/WatchLogs", filterAll));
  assert.equal(await statusOf(openCall(session, alerts, filterAll)), Code.RESOURCE_EXHAUSTED);
  assert.equal(subscriptions.list().length, 2);
  first.close(constants.NGHTTP2_CANCEL);
  await once(first, "close");
  await admitted(openCall(session, alerts, filterAll));
  assert.equal(await statusOf(openCall(session, alerts, filterAll)), Code.RESOURCE_EXHAUSTED);
});

test("Subscriptions refuses new subscribers while it drains, and ends the others with OK", async (t) => {
  const { server, subscriptions } = await startRelay(t, 2);
  const session = openSession(t, server);
  const before = await admitted(openCall(session, alerts, filterAll));
  const trailers = once(before, "trailers");
  await subscriptions.drain();
  assert.equal(await statusOf(openCall(session, alerts, filterAll)), Code.UNAVAILABLE);
  const [fields] = (await trailers) as [Readonly<Record<string, string>>];
  assert.equal(fields["grpc-status"], String(Code.OK));
});

test("Subscriptions.totals() counts on when subscribers leave, whether they took their events or not", async (t) => {
  const { server, subscriptions, hub } = await startRelay(t, 10);
  const publish = () => {
    hub.publish("alerts", event, 1);
    hub.flush();
  };
  const session = openSession(t, server);
  const reader = await admitted(openCall(session, alerts, filterAll));
  using stuck = await RawConnection.connect(server.port);
  stuck.greet(0).call(1, alerts).data(1, filterAll, true);
  await stuck.frame(({ streamId }) => streamId === 1);
  publish();
  await once(reader, "data");
  publish();
  await once(reader, "data");
  await t.waitFor(() => assert.equal(subscriptions.totals("alerts").delivered, 2), patience);
  // The second event of the one that is stuck waits behind the first.
  const counted = (): readonly number[] => {
    const ledger = subscriptions.totals("alerts");
    assert.equal(unaccounted(ledger), 0);
    return [ledger.offered, ledger.delivered, ledger.dropped.disconnected, ledger.queued];
  };
  assert.deepEqual(counted(), [4, 2, 0, 2]);
  reader.close(constants.NGHTTP2_CANCEL);
  stuck.socket.resetAndDestroy();
  await t.waitFor(() => assert.equal(subscriptions.list().length, 0), patience);
  assert.deepEqual(counted(), [4, 2, 2, 0]);
  publish();
  assert.deepEqual(counted(), [4, 2, 2, 0]);
  const next = await admitted(openCall(session, alerts, filterAll));
  publish();
  await once(next, "data");
  await t.waitFor(() => assert.equal(subscriptions.totals("alerts").queued, 0), patience);
  assert.deepEqual(counted(), [5, 3, 2, 0]);
  for (const { id } of feeds) if (id !== "alerts") assert.equal(subscriptions.totals(id).offered, 0);
});

test("the server refuses the call over its limit, whatever its method, and takes one when another has ended", async (t) => {
  const server = await start(t, routes, { maxCalls: 2 });
  const session = openSession(t, server);
  const first = await admitted(openCall(session, "/test/Hold", filterAll));
  // The other has not even sent its request.
  openCall(session, "/test/Hold");
  for (const path of ["/test/End", "/feeder.LogService/HealthCheck", "/test/Nope"])
    assert.equal(await statusOf(openCall(session, path, encodeFrame(Buffer.alloc(0)))), Code.RESOURCE_EXHAUSTED);
  first.close(constants.NGHTTP2_CANCEL);
  await once(first, "close");
  for (let round = 0; round < 5; round += 1)
    assert.equal(await statusOf(openCall(session, "/test/End", filterAll)), Code.OK);
});

test("the server closes the connection over its limit", async (t) => {
  const server = await start(t, routes, { maxConnections: 1 });
  const session = openSession(t, server);
  assert.equal(await statusOf(openCall(session, "/test/End", filterAll)), Code.OK);
  using second = await RawConnection.connect(server.port);
  second.greet();
  await second.closed;
  assert.equal(await statusOf(openCall(session, "/test/End", filterAll)), Code.OK);
});

const large = encodeFrame(Buffer.alloc(700));

/** Calls that end early, each in its own way, after some 700 bytes of request. */
const wasted: Record<string, (session: ClientHttp2Session) => Promise<void>> = {
  "its client cancelled": async (session) => {
    const stream = openCall(session, "/test/End");
    await new Promise((resolve) => stream.write(large.subarray(0, -1), resolve));
    stream.close(constants.NGHTTP2_CANCEL);
    await once(stream, "close");
  },
  "it has two messages": async (session) => {
    assert.equal(await statusOf(openCall(session, "/test/End", Buffer.concat([large, filterAll]))), Code.INTERNAL);
  },
  "it is cut short": async (session) => {
    assert.equal(await statusOf(openCall(session, "/test/End", large.subarray(0, -1))), Code.UNKNOWN);
  },
  "it is compressed": async (session) => {
    const compressed = Buffer.concat([Buffer.from([1]), large.subarray(1)]);
    assert.equal(await statusOf(openCall(session, "/test/End", compressed)), Code.INTERNAL);
  },
  "it cannot be decoded": async (session) => {
    const path = "/feeder.LogService/HealthCheck";
    const truncatedField = encodeFrame(Buffer.alloc(700, 0x08).fill(0xff, 1));
    assert.equal(await statusOf(openCall(session, path, truncatedField)), Code.INTERNAL);
  },
  "it is over the budget": async (session) => {
    const stream = openCall(session, "/test/End");
    stream.write(encodeFrame(Buffer.alloc(1_500)));
    assert.equal(await statusOf(stream), Code.RESOURCE_EXHAUSTED);
  },
  "it is served": async (session) => {
    assert.equal(await statusOf(openCall(session, "/test/End", large)), Code.OK);
  },
};

for (const [what, waste] of Object.entries(wasted)) {
  test(`the server gives back what a request took of the budget when ${what}`, async (t) => {
    const server = await start(t, routes, { maxMessageBytes: 1_000 });
    const session = openSession(t, server);
    for (let round = 0; round < 5; round += 1) await waste(session);
    assert.equal(await statusOf(openCall(session, "/test/End", large)), Code.OK);
  });
}

test("requests of all connections share one budget", async (t) => {
  const server = await start(t, routes, { maxMessageBytes: 1_000 });
  using other = await RawConnection.connect(server.port);
  other.greet().call(1, "/test/End").data(1, large.subarray(0, -1));
  await other.roundTrip(3);
  const session = openSession(t, server);
  assert.equal(await statusOf(openCall(session, "/test/End", large)), Code.RESOURCE_EXHAUSTED);
  assert.equal(await statusOf(openCall(session, "/test/End", filterAll)), Code.OK);
  other.data(1, large.subarray(-1), true);
  await other.frame(({ streamId }) => streamId === 1);
  assert.equal(await statusOf(openCall(session, "/test/End", large)), Code.OK);
});

async function start(
  t: TestContext,
  served: ReadonlyMap<string, CallHandler>,
  limits: Partial<ServerLimits>,
): Promise<RelayServer> {
  const server = await startServer({ port: 0, limits }, { routes: served, clock: new FakeClock(), log: silentLog });
  t.after(() => server[Symbol.asyncDispose]());
  return server;
}

async function startRelay(
  t: TestContext,
  maxSubscribers: number,
): Promise<{ server: RelayServer; subscriptions: Subscriptions; hub: Hub }> {
  const clock = new FakeClock();
  const hub = new Hub({ pageBytes: 1024, minIntervalMs: 1 }, clock);
  const subscriptions = new Subscriptions({ maxSubscribers, mailboxBytes: 4096, maxWriteBytes: 1024 }, hub, clock);
  return { server: await start(t, subscriptions.routes(), {}), subscriptions, hub };
}

function openSession(t: TestContext, { port }: RelayServer): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  t.after(() => session.destroy());
  return session;
}

/** A call with that body; without one its request goes on. */
function openCall(session: ClientHttp2Session, path: string, body?: Buffer): ClientHttp2Stream {
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
  // Whoever waits for the stream hears of it too; the others let it end with its session.
  stream.on("error", () => {});
  if (body !== undefined) stream.end(body);
  return stream;
}

async function admitted(stream: ClientHttp2Stream): Promise<ClientHttp2Stream> {
  const [headers] = (await once(stream, "response")) as [Readonly<Record<string, string>>];
  assert.equal(headers["grpc-status"], undefined);
  return stream;
}

/** How a call ends that has no response. */
async function statusOf(stream: ClientHttp2Stream): Promise<number> {
  const [headers] = (await once(stream, "response")) as [Readonly<Record<string, string>>];
  return Number(headers["grpc-status"]);
}
