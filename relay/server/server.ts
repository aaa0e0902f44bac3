import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import type { Clock } from "../../lib/process/clock.ts";
import type { Log } from "../../lib/process/log.ts";
import { acceptCall, maxHeaderBytes } from "./accept.ts";
import type { Call, CallDeps, CallHandler } from "./call.ts";
import { ConnectionCounts, type ConnectionEnd, type ConnectionTotals } from "./connection-counts.ts";
import { defaultKeepalive, type KeepaliveOptions } from "./keepalive.ts";
import { listen } from "./listen.ts";
import { MessageBudget } from "./message-budget.ts";
import { serveCall } from "./serve-call.ts";
import { createServices, type Services } from "./services.ts";
import { guardSession } from "./session.ts";
import { Code } from "./status.ts";

export interface ServerLimits {
  /** More are closed at once. */
  readonly maxConnections: number;
  /** Open at once, whatever they do: a bound on memory, far above the number of subscribers. */
  readonly maxCalls: number;
  /** What messages of all calls may hold together, those to subscribers aside. */
  readonly maxMessageBytes: number;
}

export const defaultServerLimits: ServerLimits = {
  maxConnections: 1_000,
  maxCalls: 5_000,
  maxMessageBytes: 64 * 1024 * 1024,
};

export interface ServerOptions {
  /** 0 takes a free port. */
  readonly port: number;
  readonly keepalive?: KeepaliveOptions;
  readonly limits?: Partial<ServerLimits>;
}

export interface ServerDeps {
  /** Hot methods by path. They come first, and write to `call.stream` themselves. */
  readonly routes: ReadonlyMap<string, CallHandler>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a server does and did, for metrics. */
export interface ServerCounts {
  readonly connections: ConnectionTotals;
  /** Open now, of any method. */
  readonly calls: number;
  /** Bytes that messages hold while they are read, or written by handlers: those to subscribers aside. */
  readonly messageBytes: number;
}

export interface RelayServer extends AsyncDisposable {
  readonly port: number;
  counts(): ServerCounts;
  /** What `grpc.health.v1` answers; SERVING until told otherwise. */
  setServing(isServing: boolean): void;
  /**
   * Stops listening, tells clients to go elsewhere (GOAWAY, NOT_SERVING), and lets the calls end: `endRoutes` ends those that
   * `routes` have been handed, the server the others. What is left when it is done, or when `deadline` aborts, is cut. Then
   * nothing is open, and `endRoutes`, which must resolve when all its calls are over, has had time to.
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
/** For a client's first SETTINGS. */
const handshakeMs = 20_000;
/** For the calls that were cut to notice. */
const settleMs = 1_000;
/**
 * Resets are ours to count (see `resetLimit`). What HTTP/2 in Node allows of its own (1,000 at once) ends in GOAWAY
 * INTERNAL_ERROR, which says nothing to a client; it stays for what comes before our count does, in one piece of data.
 */
const streamResetBurst = 4_000;
const streamResetRate = 1_000;

/** The relay's gRPC server: HTTP/2 without TLS on every address of both families. */
export async function startServer(options: ServerOptions, deps: ServerDeps): Promise<RelayServer> {
  const http2 = createServer({
    settings: { maxConcurrentStreams: maxStreams, maxHeaderListSize: maxHeaderBytes, enablePush: false },
    maxHeaderListPairs: maxHeaderFields,
    maxSessionMemory,
    streamResetBurst,
    streamResetRate,
  });
  const limits = { ...defaultServerLimits, ...options.limits };
  http2.maxConnections = limits.maxConnections;
  const server = new Server(http2, limits, deps);
  // Node makes the session of a connection in its own listener to the same event, which comes after this one.
  let latest: Socket | undefined;
  http2.prependListener("connection", (socket: Socket) => {
    socket.setNoDelay(true);
    latest = socket;
  });
  http2.on("session", (session) => {
    const socket = latest;
    // A session that is closing leaves its socket open until the client has taken everything and hung up: a frozen one never does.
    const hangUp = () => {
      session.destroy();
      socket?.destroy();
    };
    const { clock, log } = deps;
    const guardDeps = { clock, log, hangUp, onEnd: (end: ConnectionEnd) => server.remove(session, end) };
    server.add(session, hangUp);
    guardSession(session, { keepalive: options.keepalive ?? defaultKeepalive, handshakeMs }, guardDeps);
  });
  http2.on("drop", () => server.refuse());
  http2.on("stream", (stream, headers) => server.serve(stream, headers));
  const port = await listen(http2, options.port, deps.log);
  return {
    port,
    counts: () => server.counts(),
    setServing: (isServing) => server.setServing(isServing),
    drain: (endRoutes, deadline) => server.drain(endRoutes, deadline),
    [Symbol.asyncDispose]: () => server.drain(async () => {}, AbortSignal.abort()),
  };
}

class Server {
  readonly #http2: Http2Server;
  readonly #limits: ServerLimits;
  readonly #routes: ReadonlyMap<string, CallHandler>;
  readonly #deps: CallDeps;
  readonly #services: Services;
  /** How to hang up on each connection at once. */
  readonly #sessions = new Map<ServerHttp2Session, () => void>();
  /** Open calls, with who ends them when the server drains. */
  readonly #calls = new Map<Call, "route" | "server">();
  readonly #connections = new ConnectionCounts();
  #isDraining = false;

  constructor(http2: Http2Server, limits: ServerLimits, { routes, clock, log }: ServerDeps) {
    this.#http2 = http2;
    this.#limits = limits;
    this.#routes = routes;
    this.#deps = { budget: new MessageBudget(limits.maxMessageBytes), clock, log };
    this.#services = createServices(this.#deps);
  }

  add(session: ServerHttp2Session, hangUp: () => void): void {
    this.#sessions.set(session, hangUp);
    this.#connections.opened();
  }

  remove(session: ServerHttp2Session, end: ConnectionEnd): void {
    this.#sessions.delete(session);
    this.#connections.ended(this.#isDraining && end === "client" ? "drained" : end);
  }

  /** A connection was closed before it became a session: there are too many. */
  refuse(): void {
    this.#connections.refused();
  }

  counts(): ServerCounts {
    return {
      connections: this.#connections.totals(),
      calls: this.#calls.size,
      messageBytes: this.#deps.budget.takenBytes,
    };
  }

  serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const call = acceptCall(stream, headers, this.#deps.clock);
    if (call === undefined) return;
    const { maxCalls } = this.#limits;
    if (this.#calls.size >= maxCalls) {
      call.end({ code: Code.RESOURCE_EXHAUSTED, message: `At most ${maxCalls} calls are served` });
      return;
    }
    this.#calls.set(call, "server");
    call.signal.addEventListener("abort", () => this.#calls.delete(call), { once: true });
    const route = this.#routes.get(call.path);
    if (route === undefined) {
      this.#services.registry.serve(call, headers);
      return;
    }
    const handOver: CallHandler = (_same, request) => {
      this.#calls.set(call, "route");
      route(call, request);
    };
    void serveCall(call, handOver, this.#deps);
  }

  setServing(isServing: boolean): void {
    this.#services.health.set(isServing);
  }

  async drain(endRoutes: () => Promise<void>, deadline: AbortSignal): Promise<void> {
    this.setServing(false);
    this.#isDraining = true;
    // Closes the sessions too, each when its calls have ended; until then Node refuses new ones.
    const isClosed = new Promise<void>((resolve) => this.#http2.close(() => resolve()));
    for (const [call, owner] of this.#calls)
      if (owner === "server") call.end({ code: Code.UNAVAILABLE, message: "The relay is shutting down" });
    const isEnded = endRoutes();
    try {
      await Promise.race([Promise.all([isEnded, isClosed]), aborted(deadline)]);
    } finally {
      for (const hangUp of this.#sessions.values()) hangUp();
      await isClosed;
      // What was being written to those that were cut has failed only now: until then it counts as queued.
      await Promise.race([isEnded, new Promise<void>((resolve) => this.#deps.clock.after(settleMs, resolve))]);
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
