import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import type { Cluster, Credentials } from "../cluster.ts";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  /** Those of one name apart. */
  readonly distinctHeaders: IncomingMessage["headersDistinct"];
  /** Undefined when there was none. */
  readonly body: unknown;
}

/** Answers the request with this index, counted from 0; may leave it open. */
export type Script = (request: SeenRequest, response: ServerResponse, index: number) => void;

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** Connections that were opened in all, and that are open now. */
  readonly connections: { readonly opened: number; readonly open: number };
  /** Resolves when so many requests have come in. */
  seen(count: number): Promise<void>;
  /** Resolves when no more than so many connections are open. */
  closedDownTo(count: number): Promise<void>;
}

/** An HTTP server on loopback that plays an API server, with all its faults. */
export async function startScriptedServer(script: Script): Promise<ScriptedServer> {
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let opened = 0;
  const waiters = new Set<() => void>();
  const changed = () => {
    for (const check of waiters) check();
  };
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (!condition()) return;
        waiters.delete(check);
        resolve();
      };
      waiters.add(check);
      check();
    });

  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const url = new URL(request.url ?? "/", "http://server");
      const seen = {
        method: request.method ?? "",
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        distinctHeaders: request.headersDistinct,
        body: body === "" ? undefined : (JSON.parse(body) as unknown),
      };
      requests.push(seen);
      script(seen, response, requests.length - 1);
      changed();
    });
  });
  server.on("connection", (socket) => {
    opened += 1;
    sockets.add(socket);
    socket.on("error", () => {
      // A client that breaks off is what some tests want.
    });
    socket.on("close", () => {
      sockets.delete(socket);
      changed();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get connections() {
      return { opened, open: sockets.size };
    },
    seen: (count) => until(() => requests.length >= count),
    closedDownTo: (count) => until(() => sockets.size <= count),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await until(() => sockets.size === 0);
    },
  };
}

/** A cluster at that address, whose credentials the test makes. */
export function fakeCluster(
  server: string,
  credentials: (fresh: boolean) => Partial<Credentials> = () => ({}),
): Cluster {
  return {
    server,
    currentNamespace: "default",
    source: "test",
    proxyUrl: undefined,
    credentials: (options) =>
      Promise.resolve({ headers: {}, tls: {}, tlsGeneration: 1, ...credentials(options?.fresh ?? false) }),
  };
}

export function sendJson(
  response: ServerResponse,
  code: number,
  body: unknown,
  headers: Readonly<Record<string, string | string[]>> = {},
): void {
  response.writeHead(code, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** A Status as the API server sends it. */
export function status(code: number, reason: string, details: object = {}): object {
  return { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message: `it is ${reason}`, details };
}
