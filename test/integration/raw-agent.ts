import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type FeedId, feeds } from "../../relay/feeds.ts";
import { type Frame, flag, frameType, RawConnection } from "./raw-http2.ts";

export interface RawAgentOptions {
  /** Whether it does what agents do, up to the answer of the HealthCheck. Default true: what it is told comes on top. */
  readonly isPolite?: boolean;
  /** SETTINGS that it begins with, in place of none: their payload. */
  readonly settings?: Buffer;
  readonly onConnection?: (connection: RawAgentConnection) => void;
}

/** A connection of the relay to it. */
export interface RawAgentConnection {
  readonly wire: RawConnection;
  /** The streams that were asked for, by feed; whole once `ready` has resolved. */
  readonly streams: ReadonlyMap<FeedId, number>;
  /** Resolves when every feed and the HealthCheck were asked for, and answered. */
  readonly ready: Promise<void>;
}

/** An agent made of raw frames: it can break every rule there is. */
export interface RawAgent extends AsyncDisposable {
  /** host:port */
  readonly address: string;
  /** Oldest first. */
  readonly connections: readonly RawAgentConnection[];
  /** The n-th connection, counted from 1, once it is ready. */
  connection(ordinal?: number): Promise<RawAgentConnection>;
}

const responseHeaders = { ":status": "200", "content-type": "application/grpc" };
const prefixBytes = 5;

export async function startRawAgent({
  isPolite = true,
  settings,
  onConnection,
}: RawAgentOptions = {}): Promise<RawAgent> {
  const connections: RawAgentConnection[] = [];
  const waiting: (() => void)[] = [];
  const server = createServer((socket) => {
    const wire = RawConnection.accepted(socket);
    wire.control(frameType.settings, 0, settings);
    const connection = isPolite ? serve(wire) : { wire, streams: new Map(), ready: Promise.resolve() };
    connections.push(connection);
    onConnection?.(connection);
    for (const wake of waiting.splice(0)) wake();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    async connection(ordinal = 1) {
      for (;;) {
        const found = connections[ordinal - 1];
        if (found !== undefined) {
          await found.ready;
          return found;
        }
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const { wire } of connections) wire[Symbol.dispose]();
      await closed;
    },
  };
}

/** Acknowledges, answers pings and the HealthCheck, and opens every feed's stream with headers. */
function serve(wire: RawConnection): RawAgentConnection {
  const streams = new Map<FeedId, number>();
  const isReady = Promise.withResolvers<void>();
  const answer = ({ type, flags, streamId, payload }: Frame) => {
    if (type === frameType.settings && flags === 0) wire.control(frameType.settings, flag.ack);
    if (type === frameType.ping && flags === 0) wire.control(frameType.ping, flag.ack, payload);
    if (type !== frameType.data || payload.length < prefixBytes) return;
    const request = payload.subarray(prefixBytes);
    // A RequestMessage begins with the tag of its Filter, a NonceMessage with another.
    const feed = request[0] === 0x0a ? feeds.find(({ agentFilter }) => request.includes(agentFilter)) : undefined;
    wire.headers(streamId, responseHeaders);
    if (feed !== undefined) {
      streams.set(feed.id, streamId);
      return;
    }
    wire.data(streamId, payload).headers(streamId, { "grpc-status": "0" }, true);
    isReady.resolve();
  };
  wire.onFrame(answer);
  return { wire, streams, ready: isReady.promise };
}
