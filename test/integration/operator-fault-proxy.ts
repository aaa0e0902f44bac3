import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { resetSocket } from "../../hack/agents/reset-socket.ts";
import type { Cluster } from "../../lib/kube/cluster.ts";

/** What goes wrong with one request, between an operator and its API server. */
export type Fault =
  | { readonly kind: "answer"; readonly code: number; readonly retryAfterSeconds?: number }
  | { readonly kind: "reset" }
  /** It is done, and nobody hears of it. */
  | { readonly kind: "lost-answer" }
  | { readonly kind: "late"; readonly ms: number }
  /** Every part of the body comes so much later, in order. */
  | { readonly kind: "lagging"; readonly ms: number }
  /** The body comes in crumbs. */
  | { readonly kind: "slow" }
  /** The body ends, or the connection breaks, within a line. */
  | { readonly kind: "cut"; readonly afterBytes: number }
  /** A watch that begins well and then says that its version is forgotten. */
  | { readonly kind: "expired-in-stream" };

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly isWatch: boolean;
}

export interface FaultProxy extends AsyncDisposable {
  /** The same cluster, reached through the proxy. */
  readonly cluster: Cluster;
  /** Asked for every request. */
  fault: (asked: Asked) => Fault | undefined;
  /** How many faults there were. */
  readonly count: number;
  /** Resets every connection; new ones are taken. */
  cut(): void;
}

/** Speaks HTTP to its clients and TLS to the server, and does harm in between. */
export async function startFaultProxy(target: Cluster): Promise<FaultProxy> {
  const { tls } = await target.credentials();
  const agent = new Agent({ keepAlive: true, ...tls });
  const broken = new AbortController();
  let count = 0;
  const sockets = new Set<Socket>();
  const server = createServer((incoming, outgoing) => {
    outgoing.on("error", () => outgoing.destroy());
    const path = incoming.url ?? "";
    const asked = { method: incoming.method ?? "", path, isWatch: path.includes("watch=true") };
    const fault = proxy.fault(asked);
    if (fault !== undefined) count += 1;
    serve(incoming, outgoing, fault).catch(() => outgoing.destroy());
  });

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse, fault: Fault | undefined): Promise<void> {
    const body = await buffer(incoming);
    if (fault?.kind === "answer") {
      const status = { kind: "Status", apiVersion: "v1", status: "Failure", code: fault.code, message: "injected" };
      const retryAfter = fault.retryAfterSeconds === undefined ? {} : { "retry-after": `${fault.retryAfterSeconds}` };
      outgoing.writeHead(fault.code, { "content-type": "application/json", ...retryAfter });
      outgoing.end(JSON.stringify(status));
      return;
    }
    if (fault?.kind === "reset") {
      resetSocket(incoming.socket);
      return;
    }
    if (fault?.kind === "late") await pause(fault.ms, undefined, { signal: broken.signal });
    const { host: _, ...headers } = incoming.headers;
    const url = new URL(incoming.url ?? "", target.server);
    const upstream = httpsRequest(url, { method: incoming.method ?? "GET", headers, agent, signal: broken.signal });
    upstream.on("error", () => outgoing.destroy());
    outgoing.on("close", () => upstream.destroy());
    upstream.end(body);
    const [answer] = (await once(upstream, "response")) as [IncomingMessage];
    answer.on("error", () => outgoing.destroy());
    if (fault?.kind === "lost-answer") {
      await buffer(answer);
      resetSocket(incoming.socket);
      return;
    }
    outgoing.writeHead(answer.statusCode ?? 502, withoutLength(answer.headers));
    // A watch may have nothing to say for a minute.
    outgoing.flushHeaders();
    if (fault?.kind === "expired-in-stream") {
      const object = { kind: "Status", apiVersion: "v1", code: 410, reason: "Expired" };
      outgoing.end(`${JSON.stringify({ type: "ERROR", object })}\n`);
      upstream.destroy();
      return;
    }
    if (fault?.kind === "lagging") {
      lag(answer, outgoing, fault.ms);
      return;
    }
    Readable.from(harmed(answer, fault))
      .on("error", () => resetSocket(incoming.socket))
      .pipe(outgoing);
  }

  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const proxy: FaultProxy = {
    cluster: { ...target, server: `http://127.0.0.1:${port}`, credentials: (options) => target.credentials(options) },
    fault: () => undefined,
    get count() {
      return count;
    },
    cut() {
      for (const socket of sockets) resetSocket(socket);
    },
    async [Symbol.asyncDispose]() {
      broken.abort();
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await once(server, "close");
    },
  };
  return proxy;
}

/** Bounded by what the server sends within the lag. */
function lag(answer: IncomingMessage, outgoing: ServerResponse, ms: number): void {
  answer.on("data", (chunk: Buffer) => setTimeout(() => outgoing.write(chunk), ms));
  answer.on("end", () => setTimeout(() => outgoing.end(), ms));
}

async function* harmed(answer: AsyncIterable<Buffer>, fault: Fault | undefined): AsyncGenerator<Buffer> {
  let passed = 0;
  for await (const chunk of answer) {
    if (fault?.kind === "cut" && passed + chunk.length > fault.afterBytes) {
      yield chunk.subarray(0, fault.afterBytes - passed);
      throw new Error("cut");
    }
    passed += chunk.length;
    if (fault?.kind !== "slow") yield chunk;
    else {
      const crumb = Math.ceil(chunk.length / 20);
      for (let at = 0; at < chunk.length; at += crumb) {
        yield chunk.subarray(at, at + crumb);
        await pause(10);
      }
    }
  }
}

/** A body that is harmed is not as long as was said. */
function withoutLength(headers: IncomingMessage["headers"]): IncomingMessage["headers"] {
  const { "content-length": _, ...kept } = headers;
  return kept;
}
