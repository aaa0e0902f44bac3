import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import type { Log } from "./log.ts";

/** Why a probe fails: empty = it passes. */
export type Check = () => readonly string[];

export interface ProbeServerOptions {
  /** 0 takes a free port. */
  readonly port: number;
  readonly readyz: Check;
  /** Default: that there is an answer is the check, as a process whose event loop does not turn gives none. */
  readonly livez?: Check;
  readonly metrics: Registry;
  readonly log: Log;
  /** More GET paths: each returns a value that is sent as JSON. */
  readonly pages?: Readonly<Record<string, () => unknown>>;
}

export interface ProbeServer extends AsyncDisposable {
  readonly port: number;
}

/**
 * Plaintext HTTP on every address of both families: `/livez`, `/readyz` (200, or 503 with one reason a line) and `/metrics`.
 * A port of its own, because kubelet probes cannot do mutual TLS.
 */
export async function startProbeServer(options: ProbeServerOptions): Promise<ProbeServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end();
      return;
    }
    if (path === "/livez" || path === "/readyz") {
      const reasons = path === "/livez" ? (options.livez?.() ?? []) : options.readyz();
      response.writeHead(reasons.length === 0 ? 200 : 503, { "content-type": "text/plain; charset=utf-8" });
      response.end(reasons.length === 0 ? "ok\n" : `${reasons.join("\n")}\n`);
      return;
    }
    if (path === "/metrics") {
      options.metrics.metrics().then(
        (text) => response.writeHead(200, { "content-type": options.metrics.contentType }).end(text),
        (error: unknown) => {
          options.log.error("Cannot collect metrics", { error });
          response.writeHead(500).end();
        },
      );
      return;
    }
    const page = options.pages !== undefined && Object.hasOwn(options.pages, path) ? options.pages[path] : undefined;
    if (page === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": "application/json" }).end(`${JSON.stringify(page())}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(new Error(`Cannot listen for probes on port ${options.port}`, { cause })));
    server.listen({ port: options.port }, resolve);
  });
  server.removeAllListeners("error");
  server.on("error", (error) => options.log.error("The probe server failed", { error }));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
