import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { Clock } from "../../lib/process/clock.ts";
import type { Log } from "../../lib/process/log.ts";
import { acceptCall, maxHeaderBytes } from "./accept.ts";
import type { Call, CallHandler } from "./call.ts";
import { descriptorSet, logServiceDefinition } from "./definitions.ts";
import { Health } from "./health.ts";
import { defaultKeepalive, type KeepaliveOptions } from "./keepalive.ts";
import { logServiceHandlers } from "./log-service.ts";
import { addReflection } from "./reflection.ts";
import { Registry } from "./registry.ts";
import { MessageBudget } from "./message-budget.ts";
import { serveCall } from "./serve-call.ts";
import { guardSession } from "./session.ts";
import { Code } from "./status.ts";

export interface ServerOptions {
  /** 0 takes a free port. */
  readonly port: number;
  readonly keepalive?: KeepaliveOptions;
  /** More connections are closed at once. Default 1,000. */
  readonly maxConnections?: number;
}

export interface ServerDeps {
  /** Hot methods by path. They come first, and write to `call.stream` themselves. */
  readonly routes: ReadonlyMap<string, CallHandler>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RelayServer extends AsyncDisposable {
  readonly port: number;
  /** What `grpc.health.v1` answers; SERVING until told otherwise. */
  setServing(isServing: boolean): void;
  /**
   * Stops listening, tells clients to go elsewhere (GOAWAY, NOT_SERVING), and lets the calls end: `endRoutes` ends those to
   * `routes`, the server the others. What is left when it is done, or when `deadline` aborts, is cut. Then nothing is open.
   */
  drain(endRoutes: () => Promise<void>, deadline: AbortSignal): Promise<void>;
}

/**
 * Streams a connection may have open: the least that RFC 9113 recommends, and half of the subscribers that are served, so
 * that one client cannot take every place. `karmor` and collectors need three and a health check; over it, gRPC clients wait.
 */
const maxStreams = 100;
const maxHeaderFields = 1_000;
/** In MB, of data waiting in a session; over it new calls are refused. Many slow subscribers may share a connection. */
const maxSessionMemory = 64;

/** Calls open at once, whatever they do: a bound on memory, far above the number of subscribers. */
const maxCalls = 5_000;
/** What messages of all calls may hold together. */
const maxMessageBytes = 64 * 1024 * 1024;

/** The relay's gRPC server: HTTP/2 without TLS on every address of both families. */
export async function startServer(options: ServerOptions, deps: ServerDeps): Promise<RelayServer> {
  const { routes, clock, log } = deps;
  const callDeps = { budget: new MessageBudget(maxMessageBytes), clock, log };
  const registry = new Registry(callDeps);
  const health = new Health(true);
  registry.addService(logServiceDefinition(), logServiceHandlers());
  health.addTo(registry);
  addReflection(registry, descriptorSet());

  const sessions = new Set<ServerHttp2Session>();
  const calls = new Set<Call>();
  const server = createServer({
    settings: { maxConcurrentStreams: maxStreams, maxHeaderListSize: maxHeaderBytes, enablePush: false },
    maxHeaderListPairs: maxHeaderFields,
    maxSessionMemory,
  });
  server.maxConnections = options.maxConnections ?? 1_000;
  server.on("connection", (socket: Socket) => socket.setNoDelay(true));
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    guardSession(session, { keepalive: options.keepalive ?? defaultKeepalive, handshakeMs: 20_000 }, clock, log);
  });
  server.on("stream", (stream, headers) => {
    const call = acceptCall(stream, headers, clock);
    if (call === undefined) return;
    if (calls.size >= maxCalls) {
      call.end({ code: Code.RESOURCE_EXHAUSTED, message: `At most ${maxCalls} calls are served` });
      return;
    }
    calls.add(call);
    call.signal.addEventListener("abort", () => calls.delete(call), { once: true });
    const handler = routes.get(call.path);
    if (handler === undefined) registry.serve(call, headers);
    else void serveCall(call, handler, callDeps);
  });
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;

  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const session of sessions) session.destroy();
    await closed;
  };
  return {
    port,
    setServing: (isServing) => health.set(isServing),
    async drain(endRoutes, deadline) {
      health.set(false);
      const isClosed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.close();
      for (const call of calls)
        if (!routes.has(call.path)) call.end({ code: Code.UNAVAILABLE, message: "The relay is shutting down" });
      try {
        await Promise.race([Promise.all([endRoutes(), isClosed]), aborted(deadline)]);
      } finally {
        for (const session of sessions) session.destroy();
        await isClosed;
      }
    },
    [Symbol.asyncDispose]: close,
  };
}

function listen(server: Http2Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(new Error(`Cannot listen for gRPC on port ${port}`, { cause })));
    // Without an address Node takes "::" for both families, and "0.0.0.0" where there is no IPv6.
    server.listen({ port }, resolve);
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
