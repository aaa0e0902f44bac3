import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Stream, connect, constants } from "node:http2";
import { test, type TestContext } from "node:test";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { unaccounted } from "../hub/counts.ts";
import { Hub } from "../hub/hub.ts";
import { encodeFrame, FrameCutter } from "../wire/frame-cutter.ts";
import { startServer } from "./server.ts";
import { Code } from "./status.ts";
import { Subscriptions } from "./watch.ts";

const alerts = "/feeder.LogService/WatchAlerts";
/** A RequestMessage whose Filter is "all". */
const filterAll = encodeFrame(Buffer.from([0x0a, 3, ...Buffer.from("all")]));
/** For what the server learns from sockets, after the client. */
const patience = { interval: 5, timeout: 30_000 };

async function start(t: TestContext, maxSubscribers = 10) {
  const hub = new Hub({ pageBytes: 16_384, minIntervalMs: 1, bufferBytes: 1 << 20 }, systemClock);
  const limits = { maxSubscribers, mailboxBytes: 1 << 18, maxWriteBytes: 32_768 };
  const subscriptions = new Subscriptions(limits, hub, systemClock);
  const server = await startServer({ port: 0 }, { routes: subscriptions.routes(), clock: systemClock, log: silentLog });
  t.after(() => server[Symbol.asyncDispose]());
  /** A client on a connection of its own, whose windows nobody shares. */
  const watch = (): ClientHttp2Stream => {
    const session = connect(`http://127.0.0.1:${server.port}`);
    session.on("error", () => {});
    t.after(() => session.destroy());
    const call = session.request({ ":method": "POST", ":path": alerts, "content-type": "application/grpc" });
    call.on("error", () => {});
    call.end(filterAll);
    return call;
  };
  const publish = (message: Buffer) => {
    hub.publish("alerts", encodeFrame(message), 1);
  };
  return { hub, subscriptions, server, watch, publish };
}

/** How the server answers a call. */
async function status(call: ClientHttp2Stream) {
  const [headers] = (await once(call, "response")) as [Readonly<Record<string, string>>];
  return { code: headers["grpc-status"], message: headers["grpc-message"] };
}

const event = (number: number) => Buffer.alloc(1000 + (number % 3000), number * 7 + 1);

test("Subscriptions.configure() changes how many may come; those who are served stay", async (t) => {
  const { subscriptions, watch } = await start(t, 2);
  const admitted = { code: undefined, message: undefined };
  assert.deepEqual(await status(watch()), admitted);
  assert.deepEqual(await status(watch()), admitted);
  subscriptions.configure({ maxSubscribers: 1, mailboxBytes: 1 << 18 });
  assert.deepEqual(await status(watch()), {
    code: String(Code.RESOURCE_EXHAUSTED),
    message: "At most 1 streams are served",
  });
  assert.equal(subscriptions.list().length, 2);
  subscriptions.configure({ maxSubscribers: 3, mailboxBytes: 1 << 18 });
  assert.deepEqual(await status(watch()), admitted);
});

test("Subscriptions.configure() bounds the mailboxes of those who are served, and of those who come", async (t) => {
  const { subscriptions, hub, watch, publish } = await start(t);
  const fill = () => {
    for (let index = 0; index < 100; index++) publish(Buffer.alloc(10_000));
    hub.flush();
    return subscriptions.list().map(({ queuedBytes }) => queuedBytes);
  };
  await status(watch());
  assert.ok(fill().every((bytes) => bytes > 100_000 && bytes <= 1 << 18));
  subscriptions.configure({ maxSubscribers: 10, mailboxBytes: 50_000 });
  assert.ok(subscriptions.list().every(({ queuedBytes }) => queuedBytes <= 50_000));
  await status(watch());
  assert.ok(fill().every((bytes) => bytes > 10_000 && bytes <= 50_000));
});

test("Subscriptions.list() tells what a client got, what waits for it and for how long", async (t) => {
  const { subscriptions, hub, watch, publish } = await start(t);
  const call = watch();
  await status(call);
  publish(Buffer.alloc(100));
  hub.flush();
  await once(call, "data");
  await t.waitFor(() => assert.equal(subscriptions.totals("alerts").delivered, 1), patience);
  const [subscription] = subscriptions.list();
  assert.ok(subscription);
  const { feed, deliveredBytes, queuedBytes, lag, counts } = subscription;
  assert.deepEqual([feed, deliveredBytes, queuedBytes], ["alerts", 105, 0]);
  assert.ok(lag.nowMs === 0 && lag.lastMs > 0 && lag.worstMs === lag.lastMs);
  assert.deepEqual([counts.expected, counts.offered, counts.delivered], [1, 1, 1]);
});

test("Subscriptions count what a client that does not read had not got when the drain is cut off as shutdown", async (t) => {
  const { subscriptions, server, hub, watch, publish } = await start(t);
  await status(watch());
  for (let index = 0; index < 20; index++) publish(Buffer.alloc(10_000));
  hub.flush();
  await server.drain(() => subscriptions.drain(), AbortSignal.abort());
  await t.waitFor(() => assert.equal(subscriptions.list().length, 0), patience);
  const { expected, dropped, delivered } = subscriptions.totals("alerts");
  assert.deepEqual(
    { expected, shutdown: dropped.shutdown, disconnected: dropped.disconnected },
    {
      expected: 20,
      shutdown: 20 - delivered,
      disconnected: 0,
    },
  );
  assert.ok(dropped.shutdown > 0);
});

test("Subscriptions give a client that reads every byte as it was published, while others stall and go away", async (t) => {
  const { hub, subscriptions, watch, publish } = await start(t);
  const reader = watch();
  await status(reader);
  let read = 0;
  const cutter = new FrameCutter({ maxMessageBytes: 1 << 20 }, (run) => {
    for (let at = 0; at < run.length; read++) {
      const end = at + 5 + run.readUInt32BE(at + 1);
      assert.ok(run.subarray(at + 5, end).equals(event(read)), `event ${read}`);
      at = end;
    }
  });
  reader.on("data", (chunk: Buffer) => cutter.push(chunk));
  const stalled: ClientHttp2Stream[] = [];
  let sent = 0;
  for (let round = 0; round < 120; round++) {
    if (round % 3 === 0) {
      const call = watch();
      await status(call);
      stalled.push(call);
    }
    for (let index = 0; index < 20; index++) publish(event(sent++));
    hub.flush();
    if (stalled.length === 4) {
      const call = stalled.shift();
      if (round % 2 === 0) call?.close(constants.NGHTTP2_CANCEL);
      else call?.session?.destroy();
    }
    await t.waitFor(() => assert.equal(read, sent), patience);
    assert.equal(unaccounted(subscriptions.totals("alerts")), 0);
  }
  for (const call of [reader, ...stalled]) call.session?.destroy();
  await t.waitFor(() => assert.equal(subscriptions.list().length, 0), patience);
  const totals = subscriptions.totals("alerts");
  assert.equal(unaccounted(totals), 0);
  assert.ok(totals.delivered >= sent && totals.dropped.disconnected > 0 && totals.queued === 0);
  assert.deepEqual([hub.budget.usedBytes, hub.budget.pinnedBytes], [0, 0]);
});
