import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { feeds } from "../../relay/feeds.ts";
import { unaccounted } from "../../relay/hub/counts.ts";
import { connectionEnds } from "../../relay/server/connection-counts.ts";
import { encodeFrame } from "../../relay/wire/frame-cutter.ts";
import { flag, frameType, RawConnection } from "./raw-http2.ts";
import { type ServedHub, startServedHub } from "./served-hub.ts";

const alerts = "/feeder.LogService/WatchAlerts";
const health = "/feeder.LogService/HealthCheck";
const filterAll = encodeFrame(Buffer.from([0x0a, 3, ...Buffer.from("all")]));
const emptyMessage = Buffer.alloc(5);
const event = encodeFrame(Buffer.alloc(600, 0x61));
const patience = { interval: 10, timeout: 60_000 };

/** Every way in which a client comes and goes. */
const visits: Record<string, (connection: RawConnection) => Promise<void> | void> = {
  "subscribes and cancels": async (connection) => {
    connection.greet().call(1, alerts).data(1, filterAll, true);
    await connection.frame(({ streamId }) => streamId === 1);
    await connection.reset(1).roundTrip(3);
  },
  "subscribes and is gone": async (connection) => {
    connection.greet().call(1, alerts).data(1, filterAll, true);
    await connection.frame(({ streamId }) => streamId === 1);
    connection.socket.resetAndDestroy();
  },
  "subscribes, takes nothing and is gone": async (connection) => {
    connection.greet(0).call(1, alerts).data(1, filterAll, true);
    await connection.frame(({ streamId }) => streamId === 1);
  },
  "cancels at once": (connection) => {
    connection.greet().call(1, alerts).data(1, filterAll, true).reset(1);
  },
  "is gone half way through its request": (connection) => {
    connection.greet().call(1, alerts).data(1, filterAll.subarray(0, 6));
  },
  "asks for health": async (connection) => {
    connection.greet().call(1, health).data(1, emptyMessage, true);
    await connection.frame(({ streamId, flags }) => streamId === 1 && (flags & flag.endStream) !== 0);
  },
  "watches the health and is gone": async (connection) => {
    connection.greet().call(1, "/grpc.health.v1.Health/Watch").data(1, emptyMessage, true);
    await connection.frame(({ type, streamId }) => type === frameType.data && streamId === 1);
  },
  "is refused": async (connection) => {
    await connection.greet().roundTrip(1);
  },
  "has a deadline and is gone": async (connection) => {
    connection.greet().call(1, alerts, false, { "grpc-timeout": "1H" }).data(1, filterAll, true);
    await connection.frame(({ streamId }) => streamId === 1);
  },
  "says goodbye": async (connection) => {
    connection.greet().call(1, alerts).data(1, filterAll, true);
    await connection.frame(({ streamId }) => streamId === 1);
    connection.control(frameType.goaway, 0, Buffer.alloc(8)).socket.end();
  },
  "sends garbage": (connection) => {
    connection.socket.write("GET / HTTP/1.1\r\n\r\n");
  },
  "says nothing": () => {},
};

test("Thousands of clients that come and go leave nothing behind: memory, handles, places, bytes", async (t) => {
  const served = await startServedHub(t);
  // A feed that goes on: subscribers leave in the middle of writes.
  const load = setInterval(() => served.hub.publish("alerts", event, 1), 1);
  t.after(() => clearInterval(load));
  // Until pools and caches have their size.
  await visitAll(served, 100);
  await atRest(t, served);
  const before = await measure();
  const rounds = 200;
  await visitAll(served, rounds);
  await atRest(t, served);
  const after = await measure();
  const visitors = rounds * Object.keys(visits).length;
  const heap = after.heapBytes - before.heapBytes;
  const external = after.externalBytes - before.externalBytes;
  t.diagnostic(`${visitors} visitors: ${heap} bytes more in the heap, ${external} outside, ${after.handles} handles`);
  // A kilobyte each: no stream, session, socket or subscriber is that small.
  assert.ok(heap < visitors * 1_024, `${heap} bytes more in the heap`);
  // Pages come and go, and each is of 64 KiB.
  assert.ok(external < visitors * 4_096, `${external} bytes more outside`);
  assert.ok(after.handles <= before.handles, `${after.handles} handles, ${before.handles} before`);

  const { accepted, ended } = served.server.counts().connections;
  assert.equal(
    connectionEnds.reduce((sum, end) => sum + ended[end], 0),
    accepted,
  );
  for (const { id } of feeds) {
    const ledger = served.subscriptions.totals(id);
    assert.equal(unaccounted(ledger), 0);
    assert.equal(ledger.queued, 0);
  }
});

async function visitAll({ server }: ServedHub, rounds: number): Promise<void> {
  const all = Object.values(visits);
  for (let round = 0; round < rounds; round += 1) {
    await Promise.all(
      all.map(async (visit) => {
        using connection = await RawConnection.connect(server.port);
        await visit(connection);
      }),
    );
  }
}

/** Nobody is there any more. */
async function atRest(t: TestContext, { server, subscriptions }: ServedHub): Promise<void> {
  await t.waitFor(() => {
    const { connections, calls, messageBytes } = server.counts();
    assert.deepEqual([connections.open, calls, messageBytes, subscriptions.list().length], [0, 0, 0, 0]);
  }, patience);
}

async function measure(): Promise<Readonly<Record<"heapBytes" | "externalBytes" | "handles", number>>> {
  for (let times = 0; times < 5; times += 1) {
    collectGarbage();
    // What is freed may free more, in callbacks.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  const handles = process.getActiveResourcesInfo().filter((kind) => kind.startsWith("TCPS")).length;
  return { heapBytes: heapUsed, externalBytes: external, handles };
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
