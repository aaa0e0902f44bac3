import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame } from "../../relay/wire/frame-cutter.ts";
import type { FeedId } from "../../relay/feeds.ts";
import { startChecker } from "../../hack/check/checker.ts";
import { type Frame, flag, frameType, RawConnection } from "./raw-http2.ts";
import { startRawAgent } from "./raw-agent.ts";
import { startRelayFixture } from "./relay-harness.ts";
import { startRelayProcess } from "./relay-process.ts";

const limit = { timeout: 60_000 };
const health = "/feeder.LogService/HealthCheck";

interface Watch {
  readonly method: "WatchMessages" | "WatchAlerts" | "WatchLogs";
  readonly filter: string;
  /** What it is sent, or that its stream ends with OK at once. */
  readonly gets: FeedId | "end";
}

interface Script {
  /** In the order in which the client opens them, before its HealthCheck. */
  readonly watches: readonly Watch[];
  /** Undefined: it does not ask. */
  readonly nonce?: number;
}

const messages: Watch = { method: "WatchMessages", filter: "", gets: "messages" };

/** Calls of the clients there are, in their order. */
const clients: Record<string, Script> = {
  "karmor logs": { watches: [{ method: "WatchAlerts", filter: "policy", gets: "alerts" }], nonce: 2 ** 31 - 1 },
  "karmor logs --logFilter=all --msgPath=stdout": {
    watches: [
      messages,
      { method: "WatchAlerts", filter: "all", gets: "alerts" },
      { method: "WatchLogs", filter: "all", gets: "logs" },
    ],
    nonce: 11,
  },
  "karmor logs --logFilter=system": { watches: [{ method: "WatchLogs", filter: "system", gets: "logs" }], nonce: 1 },
  "the OpenTelemetry receiver": {
    watches: [
      messages,
      { method: "WatchAlerts", filter: "all", gets: "alerts" },
      { method: "WatchLogs", filter: "all", gets: "logs" },
    ],
    nonce: 0,
  },
  "the OpenTelemetry receiver, with the filter policy": {
    watches: [
      messages,
      { method: "WatchAlerts", filter: "policy", gets: "alerts" },
      { method: "WatchLogs", filter: "policy", gets: "end" },
    ],
    nonce: 300,
  },
  "the Prometheus exporter": { watches: [{ method: "WatchAlerts", filter: "policy", gets: "alerts" }] },
  "the policy report adapter, with no filter": { watches: [{ method: "WatchAlerts", filter: "", gets: "end" }] },
};

for (const [name, { watches, nonce }] of Object.entries(clients)) {
  test(`The relay serves ${name}: its calls in its order`, limit, async () => {
    await using fixture = await startRelayFixture();
    // What the relay hands to one, another client's library can read.
    await using reference = await startChecker(fixture.address);
    using connection = await RawConnection.connect(fixture.relay.grpcPort);
    // As grpc-go does, without waiting for any answer: streams first, the HealthCheck behind them.
    connection.greet();
    for (const [index, { method, filter }] of watches.entries()) {
      const id = 2 * index + 1;
      connection.call(id, `/feeder.LogService/${method}`).data(id, encodeFrame(requestMessage(filter)), true);
    }
    const healthId = 2 * watches.length + 1;
    if (nonce !== undefined) {
      const request = encodeFrame(nonceMessage(nonce));
      connection.call(healthId, health).data(healthId, request, true);
      const reply = await connection.frame(({ type, streamId }) => type === frameType.data && streamId === healthId);
      // Request and reply have the same bytes; zero is not written.
      assert.deepEqual(reply.payload, request);
      await connection.frame(isEndOf(healthId));
    }
    for (const [index, { gets }] of watches.entries()) {
      if (gets === "end") await connection.frame(isEndOf(2 * index + 1));
      // Headers come before the first event: clients learn that the stream is there.
      else await connection.frame(({ type, streamId }) => type === frameType.headers && streamId === 2 * index + 1);
    }

    for (const feed of ["alerts", "logs", "messages"] as const) fixture.fleet.produce(feed, 3);
    await reference.untilEvents(9);
    for (const [index, { gets }] of watches.entries()) {
      const id = 2 * index + 1;
      if (gets === "end") {
        assert.deepEqual(connection.frames.filter(isDataOf(id)), []);
        continue;
      }
      await connection.frame(() => eventsOf(connection, id).length === 3);
      for (const event of eventsOf(connection, id)) assert.ok(event.includes(`/${gets}/`), `No event of ${gets}`);
      assert.equal(connection.frames.some(isEndOf(id)), false);
    }
    assert.equal(
      connection.frames.some(({ type }) => type === frameType.goaway),
      false,
    );
  });
}

test(
  "An event reaches clients as the agent's very bytes: unknown fields, no protobuf, 4 MiB of it",
  limit,
  async () => {
    await using agent = await startRawAgent();
    await using relay = await startRelayProcess({ flags: [`--agents=${agent.address}`] });
    const { wire, streams } = await agent.connection();
    using connection = await RawConnection.connect(relay.grpcPort);
    connection.greet(2 ** 30).takeMore(0, 2 ** 30);
    connection.call(1, "/feeder.LogService/WatchAlerts").data(1, encodeFrame(requestMessage("all")), true);
    await connection.frame(({ type, streamId }) => type === frameType.headers && streamId === 1);
    const large = Buffer.alloc(4 * 1024 * 1024, 0x5a);
    const events = [
      Buffer.alloc(0),
      // Field 2,047 of type string.
      Buffer.concat([Buffer.from([0x0a, 1, 0x61, 0xfa, 0x7f, 3]), Buffer.from("new")]),
      Buffer.from([0xff, 0xff, 0xff]),
      // A string that is no UTF-8.
      Buffer.from([0x1a, 2, 0xc3, 0x28]),
      large,
      Buffer.from([0x0a, 1, 0x62]),
    ];
    const id = streams.get("alerts") ?? assert.fail("No stream");
    const bytes = Buffer.concat(events.map(encodeFrame));
    let taken = 0;
    connection.onFrame((frame) => {
      if (isDataOf(1)(frame)) taken += frame.payload.length;
    });
    const frameBytes = 16_384;
    for (let at = 0; at < bytes.length; at += frameBytes) wire.data(id, bytes.subarray(at, at + frameBytes));
    await connection.frame(() => taken >= bytes.length);
    assert.equal(eventsOf(connection, 1).length, events.length);
    for (const [index, event] of eventsOf(connection, 1).entries()) {
      assert.ok(events[index]?.equals(event), `Event ${index} has other bytes`);
    }
  },
);

/** RequestMessage { string Filter = 1 }, as Go writes it: nothing for an empty one. */
function requestMessage(filter: string): Buffer {
  return filter === "" ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, filter.length]), Buffer.from(filter)]);
}

/** NonceMessage { int32 nonce = 1 }, the same way. */
function nonceMessage(nonce: number): Buffer {
  const bytes = [0x08];
  for (let left = nonce; ; left >>>= 7) {
    bytes.push(left > 0x7f ? (left & 0x7f) | 0x80 : left);
    if (left <= 0x7f) break;
  }
  return nonce === 0 ? Buffer.alloc(0) : Buffer.from(bytes);
}

/** The messages of a stream so far. */
function eventsOf(connection: RawConnection, id: number): readonly Buffer[] {
  const bytes = Buffer.concat(connection.frames.filter(isDataOf(id)).map(({ payload }) => payload));
  const events: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) break;
    events.push(bytes.subarray(at + 5, end));
    at = end;
  }
  return events;
}

function isDataOf(id: number): (frame: Frame) => boolean {
  return ({ type, streamId }) => type === frameType.data && streamId === id;
}

function isEndOf(id: number): (frame: Frame) => boolean {
  return ({ type, flags, streamId }) => type === frameType.headers && streamId === id && (flags & flag.endStream) !== 0;
}
