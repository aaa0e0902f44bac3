import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type Clock, systemClock } from "../../lib/process/clock.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import type { CallHandler } from "../../relay/server/call.ts";
import { type ConnectionEnd, connectionEnds } from "../../relay/server/connection-counts.ts";
import { type RelayServer, type ServerLimits, startServer } from "../../relay/server/server.ts";
import { respondWithTrailers } from "../../relay/server/status.ts";
import { flag, frameType, RawConnection } from "./raw-http2.ts";

const emptyMessage = Buffer.alloc(5);
const hold = "/test/Hold";
const unknownPath = "/test/Nope";
const enhanceYourCalm = 11;
/** Frames that a flood may take at most: far beyond every limit. */
const mostFrames = 100_000;

interface Flood {
  /** Frames of one round. */
  readonly send: (connection: RawConnection, round: number) => void;
  readonly end: ConnectionEnd;
  /** Of the GOAWAY; undefined: Node says no more than that it is over. */
  readonly code?: number;
  readonly says?: string;
}

const calm = { code: enhanceYourCalm } as const;

const floods: Record<string, Flood> = {
  "opens calls and cancels them": {
    send: (connection, round) => {
      const id = 2 * round + 1;
      connection.call(id, hold).data(id, emptyMessage, true).reset(id);
    },
    end: "resets",
    ...calm,
    says: "too_many_resets",
  },
  "opens calls that are refused, and cancels them": {
    send: (connection, round) => {
      const id = 2 * round + 1;
      connection.call(id, unknownPath, false, { "content-type": "text/plain" }).reset(id);
    },
    // The server has ended them by then.
    end: "protocol",
  },
  "opens calls that break the rules, so that the server resets them": {
    send: (connection, round) => {
      const id = 2 * round + 1;
      connection.call(id, hold, false, { "content-length": "1" }).data(id, emptyMessage, true);
    },
    end: "protocol",
  },
  pings: {
    send: (connection) => connection.control(frameType.ping, 0, Buffer.alloc(8)),
    end: "pings",
    ...calm,
    says: "too_many_pings",
  },
  "sends SETTINGS": {
    send: (connection) => connection.control(frameType.settings, 0),
    end: "settings",
    ...calm,
    says: "too_many_settings",
  },
  "sends SETTINGS that move the windows of its calls": {
    send: (connection, round) => {
      if (round === 0) for (let id = 1; id < 200; id += 2) connection.call(id, hold).data(id, emptyMessage, true);
      const payload = Buffer.alloc(6);
      payload.writeUInt16BE(4);
      payload.writeUInt32BE(65_535 + (round % 2), 2);
      connection.control(frameType.settings, 0, payload);
    },
    end: "settings",
    ...calm,
    says: "too_many_settings",
  },
  "sends empty DATA": {
    send: (connection, round) => {
      if (round === 0) connection.call(1, hold);
      connection.data(1, Buffer.alloc(0));
    },
    end: "protocol",
  },
  "sends a header block in ever more CONTINUATION frames": {
    send: (connection, round) => {
      if (round === 0)
        connection.send({ type: frameType.headers, flags: 0, streamId: 1, payload: Buffer.from([0x83]) });
      connection.send({
        type: frameType.continuation,
        flags: 0,
        streamId: 1,
        payload: Buffer.from([0, 1, 120, 1, 121]),
      });
    },
    end: "protocol",
  },
  "sends PRIORITY": {
    send: (connection, round) =>
      connection.send({
        type: frameType.priority,
        flags: 0,
        streamId: 2 * round + 1,
        payload: Buffer.from([0, 0, 0, 0, 1]),
      }),
    end: "protocol",
    ...calm,
  },
  "sends frames of no known type": {
    send: (connection) => connection.control(0x77, 0, Buffer.alloc(1)),
    end: "protocol",
    ...calm,
  },
  "sends DATA on a call that is over": {
    send: (connection, round) => {
      if (round === 0) connection.call(1, unknownPath, true);
      connection.data(1, Buffer.alloc(1));
    },
    end: "protocol",
  },
  "resets a call that is over": {
    send: (connection, round) => {
      if (round === 0) connection.call(1, unknownPath, true);
      connection.reset(1);
    },
    end: "protocol",
  },
  "resets a call that never was": { send: (connection) => connection.reset(1_001), end: "protocol" },
  "acknowledges SETTINGS that nobody sent": {
    send: (connection) => connection.control(frameType.settings, flag.ack),
    end: "protocol",
  },
  "answers pings that nobody sent": {
    send: (connection) => connection.control(frameType.ping, flag.ack, Buffer.alloc(8)),
    end: "protocol",
  },
  "opens more calls than it may": {
    send: (connection, round) => {
      const id = 2 * round + 1;
      connection.call(id, hold).data(id, emptyMessage, true);
    },
    end: "protocol",
  },
};

for (const [what, { send, end, code, says }] of Object.entries(floods)) {
  test(`the server ends the connection of a client that ${what}, counts it as "${end}", and no other`, async (t) => {
    // On a clock that stands still no timeout ends it, and nothing is forgiven.
    const server = await start(t, new FakeClock());
    using bystander = await RawConnection.connect(server.port);
    bystander.greet().call(1, hold).data(1, emptyMessage, true);
    await bystander.frame(({ streamId }) => streamId === 1);

    using flooder = await RawConnection.connect(server.port);
    flooder.greet();
    await flood(flooder, send);
    const goaway = await flooder.frame(({ type }) => type === frameType.goaway);
    if (code !== undefined) assert.equal(goaway.payload.readUInt32BE(4), code);
    if (says !== undefined) assert.equal(goaway.payload.subarray(8).toString(), says);
    await flooder.closed;
    await t.waitFor(() => assert.deepEqual(endsOf(server), { [end]: 1 }));

    await bystander.roundTrip(3);
    assert.equal(server.counts().calls, 1);
  });
}

for (const [what, streamId, increment] of [
  ["nothing more of the connection", 0, 0],
  ["more of the connection than there can be", 0, 2 ** 31 - 1],
  ["more of a call than there can be", 1, 2 ** 31 - 1],
] as const) {
  test(`the server ends the connection of a client that grants ${what}`, async (t) => {
    const server = await start(t, new FakeClock());
    using connection = await RawConnection.connect(server.port);
    connection.greet().call(1, hold).data(1, emptyMessage, true).takeMore(streamId, increment);
    await connection.frame(({ type }) => type === frameType.goaway);
    await connection.closed;
    await t.waitFor(() => assert.deepEqual(endsOf(server), { protocol: 1 }));
    assert.equal(server.counts().calls, 0);
  });
}

test("the server ends the connection of a client that sends a lot to no end", async (t) => {
  const clock = new FakeClock();
  const server = await start(t, clock);
  using connection = await RawConnection.connect(server.port);
  connection.greet();
  const useless = Buffer.alloc(16_384);
  for (let sent = 0; sent < 15 * 2 ** 20; sent += useless.length) connection.control(0x77, 0, useless);
  await connection.roundTrip(1);
  clock.advance(1_000);
  await connection.roundTrip(3);
  for (let sent = 0; sent < 3 * 2 ** 20; sent += useless.length) connection.control(0x77, 0, useless);
  await connection.roundTrip(5);
  clock.advance(1_000);
  const goaway = await connection.frame(({ type }) => type === frameType.goaway);
  assert.equal(goaway.payload.readUInt32BE(4), enhanceYourCalm);
  await connection.closed;
  await t.waitFor(() => assert.deepEqual(endsOf(server), { bytes: 1 }));
});

test("the server lets a connection live whose calls are cancelled now and then, for ever", async (t) => {
  const clock = new FakeClock();
  const server = await start(t, clock);
  using connection = await RawConnection.connect(server.port);
  connection.greet();
  let id = 1;
  for (let seconds = 0; seconds < 40; seconds += 1) {
    for (let cancelled = 0; cancelled < 40; cancelled += 1, id += 2) {
      connection.call(id, hold).data(id, emptyMessage, true).reset(id);
    }
    await connection.roundTrip(id);
    id += 2;
    // Under the interval of pings, which this client does not answer.
    clock.advance(1_000);
    const ping = connection.frames.findLast(({ type, flags }) => type === frameType.ping && flags === 0);
    if (ping !== undefined && seconds % 5 === 4) connection.control(frameType.ping, flag.ack, ping.payload);
  }
  assert.equal(connection.socket.readyState, "open");
  assert.equal(server.counts().calls, 0);
});

test("counts() tells how every connection ended", async (t) => {
  const clock = new FakeClock();
  const server = await start(t, clock, { maxConnections: 3 });
  const open = async () => (await RawConnection.connect(server.port)).greet();
  using polite = await open();
  using rude = await open();
  using mute = await RawConnection.connect(server.port);
  await t.waitFor(() => assert.equal(server.counts().connections.open, 3));
  using refused = await RawConnection.connect(server.port);
  await refused.closed;
  assert.equal(server.counts().connections.accepted, 4);

  polite.socket.end();
  await polite.closed;
  rude.socket.resetAndDestroy();
  clock.advance(20_000);
  await mute.closed;
  await t.waitFor(() => assert.deepEqual(endsOf(server), { client: 2, handshake: 1, limit: 1 }));

  using silent = await open();
  await silent.frame(({ type, flags }) => type === frameType.settings && flags === flag.ack);
  clock.advance(5_000);
  clock.advance(20_000);
  await silent.closed;
  using garbage = await RawConnection.connect(server.port);
  garbage.socket.write("x");
  await garbage.closed;
  await t.waitFor(() =>
    assert.deepEqual(endsOf(server), { client: 2, handshake: 1, limit: 1, silent: 1, protocol: 1 }),
  );

  using last = await open();
  await last.frame(({ type, flags }) => type === frameType.settings && flags === flag.ack);
  await server.drain(async () => {}, AbortSignal.timeout(60_000));
  await last.closed;
  await t.waitFor(() => assert.equal(server.counts().connections.open, 0));
  const { accepted, ended } = server.counts().connections;
  assert.equal(ended.drained, 1);
  assert.equal(
    accepted,
    connectionEnds.reduce((sum, end) => sum + ended[end], 0),
  );
});

test("the server serves on while clients flood it from many connections", async (t) => {
  const server = await start(t, systemClock);
  const attackers = await Promise.all(Array.from({ length: 20 }, () => RawConnection.connect(server.port)));
  const rounds = Object.values(floods);
  await Promise.all(
    attackers.map(async (attacker, index) => {
      using owned = attacker;
      const one = rounds[index % rounds.length];
      if (one === undefined) return;
      owned.greet();
      await flood(owned, one.send);
      await owned.closed;
    }),
  );
  using healthy = await RawConnection.connect(server.port);
  healthy.greet().call(1, "/feeder.LogService/HealthCheck").data(1, emptyMessage, true);
  await healthy.frame(({ type, streamId }) => type === frameType.data && streamId === 1);
  await t.waitFor(() => assert.equal(server.counts().connections.open, 1));
  assert.equal(server.counts().calls, 0);
  assert.equal(server.counts().messageBytes, 0);
});

/** Sends rounds until the server has had enough. */
async function flood(connection: RawConnection, send: Flood["send"]): Promise<void> {
  const isOver = () => connection.socket.destroyed || connection.frames.some(({ type }) => type === frameType.goaway);
  for (let round = 0; !isOver(); round += 1) {
    assert.ok(round < mostFrames, "The server takes everything");
    send(connection, round);
    if (round % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** How many connections ended, by why; without those of which there were none. */
function endsOf(server: RelayServer): Readonly<Partial<Record<ConnectionEnd, number>>> {
  return Object.fromEntries(Object.entries(server.counts().connections.ended).filter(([, count]) => count > 0));
}

async function start(t: TestContext, clock: Clock, limits: Partial<ServerLimits> = {}): Promise<RelayServer> {
  const routes = new Map<string, CallHandler>([[hold, (call) => respondWithTrailers(call.stream)]]);
  const server = await startServer({ port: 0, limits }, { routes, clock, log: silentLog });
  t.after(() => server[Symbol.asyncDispose]());
  return server;
}
