import { Counter } from "prom-client";
import type { Registry } from "prom-client";
import type { Dispatcher } from "undici";
import { delay } from "../process/clock.ts";
import type { Clock, Random } from "../process/clock.ts";
import type { Log } from "../process/log.ts";
import type { Cluster, RequestHeaders } from "./cluster.ts";
import { DispatcherPool } from "./dispatchers.ts";
import { ApiError, isUnauthorized } from "./errors.ts";
import type { ApiErrorContext, Status } from "./errors.ts";
import { parseRetryAfter, retryWaitMs } from "./retry.ts";

const requestDeadlineMs = 30_000;

export interface ApiRequest extends ApiErrorContext {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  /** May be sent again when the server asked to come back later. */
  readonly idempotent: boolean;
}

export interface TransportDeps {
  readonly log: Log;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics?: Registry | undefined;
}

/** JSON over HTTP to one API server: credentials, pools, deadlines, retries, errors, metrics. */
export class Transport {
  readonly #cluster: Cluster;
  readonly #deps: TransportDeps;
  readonly #pool: DispatcherPool;
  readonly #origin: string;
  readonly #pathPrefix: string;
  readonly #requests: Counter<"code" | "method" | "host"> | undefined;
  readonly #host: string;

  constructor(cluster: Cluster, deps: TransportDeps) {
    const url = new URL(cluster.server);
    this.#cluster = cluster;
    this.#deps = deps;
    this.#pool = new DispatcherPool(cluster);
    this.#origin = url.origin;
    this.#pathPrefix = url.pathname.replace(/\/+$/, "");
    this.#host = url.host;
    this.#requests = deps.metrics === undefined ? undefined : requestCounter(deps.metrics);
  }

  /** The decoded body of a success. */
  async json(request: ApiRequest, signal?: AbortSignal): Promise<unknown> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#withDeadline(request, signal, async (inTime) => {
          const response = await this.#send(request, inTime, "api");
          const text = await response.body.text();
          return text === "" ? undefined : (JSON.parse(text) as unknown);
        });
      } catch (error) {
        const waitMs = retryWaitMs(error, attempt, request.idempotent, this.#deps.random);
        if (waitMs === undefined) throw error;
        await delay(this.#deps.clock, waitMs, signal ?? new AbortController().signal);
      }
    }
  }

  /** The body of a success as it comes, without a deadline: `signal` ends it and closes its connection. */
  async stream(request: ApiRequest, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const response = await this.#send(request, signal, "watch");
    return response.body as AsyncIterable<Buffer>;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool[Symbol.asyncDispose]();
  }

  async #withDeadline<T>(
    request: ApiRequest,
    signal: AbortSignal | undefined,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const deadline = new AbortController();
    const cancel = this.#deps.clock.after(requestDeadlineMs, () => {
      deadline.abort(new DOMException(`No complete answer within ${requestDeadlineMs} ms`, "TimeoutError"));
    });
    try {
      return await run(signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]));
    } catch (cause) {
      if (cause instanceof ApiError) throw cause;
      signal?.throwIfAborted();
      throw new Error(`Cannot ${request.verb} ${request.resource} at ${this.#host}`, { cause });
    } finally {
      cancel();
    }
  }

  async #send(request: ApiRequest, signal: AbortSignal, pool: "api" | "watch"): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#sendOnce(request, signal, pool, false);
    } catch (error) {
      // A 401 was not acted on, so every verb may try again: the token may just have been rotated.
      if (!isUnauthorized(error)) throw error;
      return await this.#sendOnce(request, signal, pool, true);
    }
  }

  async #sendOnce(
    request: ApiRequest,
    signal: AbortSignal,
    pool: "api" | "watch",
    fresh: boolean,
  ): Promise<Dispatcher.ResponseData> {
    const credentials = await unlessAborted(this.#cluster.credentials({ fresh }), signal);
    const headers: Record<string, string | string[]> = {
      ...sendable(credentials.headers),
      accept: "application/json",
      "user-agent": this.#deps.userAgent,
    };
    if (request.body !== undefined) headers["content-type"] = request.contentType ?? "application/json";
    let response: Dispatcher.ResponseData;
    try {
      const sent = this.#pool.get(credentials)[pool].request({
        origin: this.#origin,
        path: this.#pathPrefix + request.path,
        method: request.method,
        headers,
        body: request.body === undefined ? null : JSON.stringify(request.body),
        signal,
      });
      // By itself it looks at the signal when it is connected, which may take all of the time for that.
      response = await unlessAborted(sent, signal);
    } catch (error) {
      this.#count(request, "<error>");
      throw error;
    }
    this.#count(request, String(response.statusCode));
    this.#logWarnings(request, response);
    if (response.statusCode < 200 || response.statusCode > 299) throw await this.#toError(request, response);
    return response;
  }

  async #toError(request: ApiRequest, response: Dispatcher.ResponseData): Promise<ApiError> {
    const retryAfter = single(response.headers["retry-after"]);
    const retryAfterMs = parseRetryAfter(retryAfter, this.#deps.clock.now());
    return new ApiError(response.statusCode, parseStatus(await response.body.text()), request, retryAfterMs);
  }

  /** Deprecated fields and APIs, and fields of an apply that the server does not know. */
  #logWarnings(request: ApiRequest, response: Dispatcher.ResponseData): void {
    const header = response.headers["warning"];
    if (header === undefined || request.method === "GET") return;
    const { verb, resource, objectName } = request;
    for (const warning of [header].flat()) {
      this.#deps.log.warn("The API server warns", { verb, resource, objectName, warning });
    }
  }

  #count(request: ApiRequest, code: string): void {
    this.#requests?.inc({ code, method: request.method, host: this.#host });
  }
}

/** The metric of client-go, so that its dashboards and alerts work. */
function requestCounter(registry: Registry): Counter<"code" | "method" | "host"> {
  const name = "rest_client_requests_total";
  const known = registry.getSingleMetric(name);
  if (known instanceof Counter) return known;
  return new Counter({
    name,
    help: "Requests to the Kubernetes API, by status code, method, and host",
    labelNames: ["code", "method", "host"],
    registers: [registry],
  });
}

/** Proxies and load balancers answer with their own texts. */
function parseStatus(text: string): Status {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null) return body;
  } catch {
    // Not JSON: the text itself is all there is to say.
  }
  return text === "" ? {} : { message: text.slice(0, 300) };
}

/** A login program, or a server that does not answer, may take its time: who has given up does not wait for it. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function sendable(headers: RequestHeaders): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : [...value]]),
  );
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
