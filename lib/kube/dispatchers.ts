import { Agent, ProxyAgent } from "undici";
import type { Dispatcher } from "undici";
import type { Cluster, Credentials } from "./cluster.ts";

/** Open sockets for short requests, whatever the number of reconciles. */
const maxApiConnections = 8;
/** Below Go's idle timeout of an API server (90 s), so that we and not the server close an idle socket. */
const keepAliveMs = 60_000;

/** The two pools over one set of TLS credentials. */
export interface Dispatchers {
  readonly api: Dispatcher;
  /** A connection of its own for every watch: one that stalls stops no other. */
  readonly watch: Dispatcher;
}

/** The pools of a cluster, made anew when its TLS credentials change. */
export class DispatcherPool {
  readonly #cluster: Pick<Cluster, "proxyUrl">;
  #generation = 0;
  #current: Dispatchers | undefined;
  readonly #open = new Set<Dispatcher>();
  #closed = false;

  constructor(cluster: Pick<Cluster, "proxyUrl">) {
    this.#cluster = cluster;
  }

  get(credentials: Credentials): Dispatchers {
    if (this.#closed) throw new Error("Cannot send a request: the Kubernetes client is closed");
    if (this.#current !== undefined && credentials.tlsGeneration <= this.#generation) return this.#current;
    const old = this.#current;
    this.#current = { api: this.#create(credentials, maxApiConnections), watch: this.#create(credentials, null) };
    this.#generation = credentials.tlsGeneration;
    // Requests under way end as they would have: a watch by the server's timeout.
    if (old !== undefined) for (const dispatcher of [old.api, old.watch]) void this.#retire(dispatcher);
    return this.#current;
  }

  /** Breaks what is under way; resolves when all sockets are closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open].map((dispatcher) => dispatcher.destroy()));
  }

  async #retire(dispatcher: Dispatcher): Promise<void> {
    await dispatcher.close();
    this.#open.delete(dispatcher);
  }

  #create(credentials: Credentials, connections: number | null): Dispatcher {
    const options: Agent.Options = {
      connections,
      // One session would carry all requests, and a stall of it would stop all.
      allowH2: false,
      keepAliveTimeout: keepAliveMs,
      // The deadlines are the transport's, on its own clock.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    const connect = { ...credentials.tls, timeout: 10_000, keepAlive: true, keepAliveInitialDelay: 30_000 };
    const dispatcher =
      this.#cluster.proxyUrl === undefined
        ? new Agent({ ...options, connect })
        : new ProxyAgent({ ...options, uri: this.#cluster.proxyUrl, requestTls: credentials.tls });
    this.#open.add(dispatcher);
    return dispatcher;
  }
}
