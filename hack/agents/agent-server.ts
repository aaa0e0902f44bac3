import type { sendUnaryData, ServerUnaryCall, ServerWritableStream } from "@grpc/grpc-js";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { ServingStatusMap } from "grpc-health-check";
import { HealthImplementation } from "grpc-health-check";
import type { FeedName, StreamRequest } from "./contract.ts";
import { feedContracts, feedNames, healthCheck, healthNames, rawStream } from "./contract.ts";
import type { Wire } from "./wire.ts";

export type EventCall = ServerWritableStream<StreamRequest, Buffer>;

export interface GrpcServer {
  accept(wire: Wire): void;
  /** Ends what runs; connections are closed by whoever accepted them. */
  close(): void;
}

// Its bookkeeping costs time for every message.
const withoutChannelz = { "grpc.enable_channelz": 0 };

export interface Keepalive {
  /** A PING this long after the last was answered. */
  readonly timeMs: number;
  /** A connection that does not answer for so long is destroyed. */
  readonly timeoutMs: number;
}

/**
 * What KubeArmor asks of its server. grpc-js pings on every connection, with or without calls, also while it receives
 * (grpc-go does not then), and ends silent connections with GOAWAY NO_ERROR.
 */
export const agentKeepalive: Keepalive = { timeMs: 1000, timeoutMs: 5000 };

function fromServer(server: Server): GrpcServer {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    accept: (wire) => injector.injectConnection(wire),
    close: () => {
      injector.destroy();
      server.forceShutdown();
    },
  };
}

export interface LogServiceHandlers {
  subscribe(feed: FeedName, call: EventCall): void;
  /** Calls back when a health check may be answered. */
  beforeHealth(answer: () => void): void;
}

/** `feeder.LogService` with the filters and answers of an agent. */
export function createLogServer(handlers: LogServiceHandlers, keepalive: Keepalive): GrpcServer {
  const server = new Server({
    ...withoutChannelz,
    "grpc.keepalive_time_ms": keepalive.timeMs,
    "grpc.keepalive_timeout_ms": keepalive.timeoutMs,
  });
  for (const feed of feedNames) {
    const { method, filters } = feedContracts[feed];
    server.addService(
      { [method]: rawStream(feed) },
      {
        [method]: (call: EventCall) => {
          // Not an error for the agent: the handler returns, the client sees the end of the stream and status OK.
          if (filters === undefined || filters.includes(call.request.Filter)) handlers.subscribe(feed, call);
          else call.end();
        },
      },
    );
  }
  server.addService(
    { HealthCheck: healthCheck },
    {
      HealthCheck: (call: ServerUnaryCall<{ nonce: number }, object>, reply: sendUnaryData<object>) => {
        handlers.beforeHealth(() => reply(null, { Retval: call.request.nonce }));
      },
    },
  );
  return fromServer(server);
}

/** `grpc.health.v1` as agents serve it on a port of its own. */
export function createHealthServer(beforeHealth: LogServiceHandlers["beforeHealth"]): GrpcServer {
  const statuses: ServingStatusMap = { "": "SERVING" };
  for (const name of healthNames) statuses[name] = "SERVING";
  const server = new Server(withoutChannelz);
  new HealthImplementation(statuses).addToServer({
    addService: (service, { check, ...others }) => {
      const delayed = (call: ServerUnaryCall<object, object>, reply: sendUnaryData<object>) => {
        beforeHealth(() => (check as (call: object, reply: object) => void)(call, reply));
      };
      server.addService(service, { ...others, check: delayed });
    },
  });
  return fromServer(server);
}
