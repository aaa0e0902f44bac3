import assert from "node:assert/strict";
import { test } from "node:test";
import { sumOf, unaccounted } from "../../relay/hub/counts.ts";
import { encodeFrame } from "../../relay/wire/frame-cutter.ts";
import { flag, frameType, RawConnection } from "./raw-http2.ts";
import { type ServedHub, startServedHub } from "./served-hub.ts";

const limit = { timeout: 60_000 };
const alerts = "/feeder.LogService/WatchAlerts";
const filterAll = encodeFrame(Buffer.from([0x0a, 3, ...Buffer.from("all")]));
const patience = { interval: 10, timeout: 30_000 };
const eventBytes = 600;
const perStep = 100;
const mailboxBytes = 256 * 1024;

/** Clients that are no use to anybody, each opened anew for every step of the load. */
const storms: Record<string, (port: number) => Promise<RawConnection>> = {
  "never read": async (port) => {
    const connection = (await RawConnection.connect(port)).greet(0).call(1, alerts).data(1, filterAll, true);
    await connection.frame(({ streamId }) => streamId === 1);
    return connection;
  },
  "read nothing of the socket": async (port) => {
    const connection = (await RawConnection.connect(port)).greet(2 ** 31 - 1).takeMore(0, 2 ** 31 - 65_536);
    connection.call(1, alerts).data(1, filterAll, true);
    await connection.frame(({ streamId }) => streamId === 1);
    connection.socket.pause();
    return connection;
  },
  "take a byte at a time": async (port) => {
    const connection = (await RawConnection.connect(port)).greet(0).call(1, alerts).data(1, filterAll, true);
    await connection.frame(({ streamId }) => streamId === 1);
    return connection.takeMore(1, 1);
  },
  "subscribe and cancel": async (port) => {
    const connection = (await RawConnection.connect(port)).greet();
    for (let id = 1; id < 40; id += 2) connection.call(id, alerts).data(id, filterAll, true).reset(id);
    return connection;
  },
  "subscribe and are gone": async (port) => {
    const connection = (await RawConnection.connect(port)).greet().call(1, alerts).data(1, filterAll, true);
    await connection.frame(({ streamId }) => streamId === 1);
    connection.socket.resetAndDestroy();
    return connection;
  },
  "end their side of the connection": async (port) => {
    const connection = await RawConnection.connect(port, "127.0.0.1", { allowHalfOpen: true });
    connection.greet().call(1, alerts).data(1, filterAll, true).socket.end();
    return connection;
  },
  "never end their requests": async (port) =>
    (await RawConnection.connect(port)).greet().call(1, alerts).data(1, filterAll),
  "connect and say nothing": (port) => RawConnection.connect(port),
};

for (const [what, open] of Object.entries(storms)) {
  test(`Clients that ${what} cost a healthy subscriber no event and no wait`, limit, async (t) => {
    const served = await startServedHub(t, { mailboxBytes });
    using healthy = await subscribe(served);
    await using stack = new AsyncDisposableStack();
    const steps = 40;
    for (let step = 1; step <= steps; step += 1) {
      const stormy = await open(served.server.port);
      stack.use(stormy);
      publish(served, step);
      // The next events come only when these are there: whoever waits for the others waits for ever.
      await healthy.until(step * perStep);
    }
    assert.deepEqual(
      healthy.numbers(),
      Array.from({ length: steps * perStep }, (_, index) => index),
    );
    const [own] = served.subscriptions.list();
    assert.equal(own?.counts.delivered, steps * perStep);
    assert.equal(sumOf(own?.counts.dropped ?? assert.fail()), 0);
    for (const { counts, queuedBytes } of served.subscriptions.list()) {
      assert.equal(unaccounted(counts), 0);
      assert.ok(queuedBytes <= mailboxBytes, `${queuedBytes} bytes are queued`);
    }
    assert.equal(unaccounted(served.subscriptions.totals("alerts")), 0);
  });
}

test("A subscriber that reads again gets the newest events, in order, and the others are counted", limit, async (t) => {
  const served = await startServedHub(t, { mailboxBytes });
  using late = await subscribe(served, 0);
  using healthy = await subscribe(served);
  const steps = 30;
  for (let step = 1; step <= steps; step += 1) {
    publish(served, step);
    await healthy.until(step * perStep);
  }
  const { dropped } = served.subscriptions.totals("alerts");
  assert.ok(dropped.mailbox > 0, "the mailbox overflowed");
  late.connection.takeMore(1, 2 ** 30);
  await t.waitFor(() => assert.equal(served.subscriptions.totals("alerts").queued, 0), patience);
  const wanted = steps * perStep - dropped.mailbox;
  await late.until(wanted);
  const numbers = late.numbers();
  assert.equal(numbers.length, wanted);
  assert.equal(numbers.at(-1), steps * perStep - 1);
  assert.ok(
    numbers.every((number, at) => at === 0 || number > (numbers[at - 1] ?? 0)),
    "in order",
  );
});

/** Numbered events, the first `step` being 1. */
function publish({ hub }: ServedHub, step: number): void {
  const frames = Array.from({ length: perStep }, (_, index) => {
    const event = Buffer.alloc(eventBytes);
    event.writeUInt32BE((step - 1) * perStep + index);
    return encodeFrame(event);
  });
  hub.publish("alerts", Buffer.concat(frames), perStep);
}

interface Numbered extends Disposable {
  readonly connection: RawConnection;
  /** Of the events so far. */
  readonly numbers: () => readonly number[];
  readonly until: (count: number) => Promise<void>;
}

/** A subscriber that takes `windowBytes` of events. */
async function subscribe({ server }: ServedHub, windowBytes = 2 ** 30): Promise<Numbered> {
  const connection = await RawConnection.connect(server.port);
  connection.greet(windowBytes).takeMore(0, 2 ** 30);
  connection.call(1, alerts).data(1, filterAll, true);
  await connection.frame(({ streamId }) => streamId === 1);
  let bytes = 0;
  connection.onFrame(({ type, streamId, payload }) => {
    if (type === frameType.data && streamId === 1) bytes += payload.length;
  });
  const frameBytes = eventBytes + 5;
  return {
    connection,
    numbers() {
      const data = connection.frames.filter(({ type, streamId }) => type === frameType.data && streamId === 1);
      const all = Buffer.concat(data.map(({ payload }) => payload));
      return Array.from({ length: Math.floor(all.length / frameBytes) }, (_, at) =>
        all.readUInt32BE(at * frameBytes + 5),
      );
    },
    async until(count) {
      if (bytes < count * frameBytes) await connection.frame(() => bytes >= count * frameBytes);
      assert.ok(
        !connection.frames.some(({ flags, type }) => type === frameType.headers && (flags & flag.endStream) !== 0),
      );
    },
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  };
}
