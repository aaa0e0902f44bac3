import type { Clock } from "../../process/clock.ts";
import { ApiError } from "../errors.ts";
import type { Status } from "../errors.ts";
import type { ListWatchClient, WatchQuery } from "../list-watch.ts";
import type { ListPage, ListQuery } from "../paging.ts";
import type { KubeObject, Resource, Scope } from "../types.ts";

export type StreamFault = "close" | "cut" | "reset" | "hang" | "garbage" | "expired" | "internal-error";

interface HistoryEntry {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: KubeObject;
}

/** Small, so that a few objects are several pages. */
const pageSize = 3;

/** ConfigMaps in memory with the versions, pages, watches, and faults of a real API server. */
export class MemoryApi implements ListWatchClient {
  readonly #clock: Clock;
  readonly #history: HistoryEntry[] = [];
  readonly #streams = new Set<Stream>();
  #version = 10;
  #compactedTo = 0;
  /** Each is thrown by one of the next requests. */
  readonly failures: Error[] = [];
  readonly lists: ListQuery[] = [];
  readonly watches: WatchQuery[] = [];
  /** Whether a watch from a forgotten version is refused in its stream, on a 200, instead of by its status. */
  expiresInStream = false;
  /** How many versions behind the answer to a list at version 0 is, as from a cache that lags. */
  lag = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  get version(): string {
    return String(this.#version);
  }

  /** What is there now: versions by name. */
  truth(): ReadonlyMap<string, string> {
    return new Map(
      [...this.#stateAt(this.#version)].map(([name, object]) => [name, object.metadata.resourceVersion ?? ""]),
    );
  }

  put(name: string): void {
    this.#version += 1;
    const type = this.#stateAt(this.#version).has(name) ? "MODIFIED" : "ADDED";
    this.#record(type, name);
  }

  remove(name: string): void {
    if (!this.#stateAt(this.#version).has(name)) return;
    this.#version += 1;
    this.#record("DELETED", name);
  }

  /** Others write other kinds: the version goes on without an event here. */
  writeElsewhere(): void {
    this.#version += 1;
  }

  /** Forgets all versions before the present one, for new watches and for pages that are still to be read. */
  compact(): void {
    this.#compactedTo = this.#version;
  }

  bookmark(): void {
    for (const stream of this.#streams) stream.send(bookmarkLine(this.#version));
  }

  /** Does this to every open watch. */
  disturb(fault: StreamFault): void {
    for (const stream of this.#streams) stream.disturb(fault);
  }

  listPage(_resource: Resource, _scope: Scope, query: ListQuery, signal?: AbortSignal): Promise<ListPage> {
    this.lists.push(query);
    return this.#answer(signal, () => {
      const [snapshot, offset] = (query.continue ?? "").split("/").map(Number);
      const version = query.continue === undefined ? this.#versionFor(query) : (snapshot ?? 0);
      if (version < this.#compactedTo && query.continue !== undefined) throw refusal(410, "Expired");
      const all = [...this.#stateAt(version).values()];
      const start = offset ?? 0;
      const end = query.limit === undefined ? all.length : start + pageSize;
      const more = end < all.length ? `${version}/${end}` : "";
      return { items: all.slice(start, end), resourceVersion: String(version), continue: more };
    });
  }

  watch(_resource: Resource, _scope: Scope, query: WatchQuery, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    this.watches.push(query);
    return this.#answer(signal, () => {
      const from = Number(query.resourceVersion);
      const isForgotten = from < this.#compactedTo;
      if (isForgotten && !this.expiresInStream) throw refusal(410, "Expired");
      const stream = new Stream(signal, () => this.#streams.delete(stream));
      if (isForgotten) {
        stream.disturb("expired");
        return stream;
      }
      this.#streams.add(stream);
      for (const entry of this.#history) if (entry.version > from) stream.send(eventLine(entry));
      stream.onEnd(this.#clock.after(query.timeoutSeconds * 1000, () => stream.disturb("close")));
      return stream;
    });
  }

  #versionFor(query: ListQuery): number {
    const wanted = Number(query.resourceVersion ?? "");
    if (wanted > this.#version) {
      throw refusal(504, "Timeout", { causes: [{ reason: "ResourceVersionTooLarge" }] });
    }
    return query.resourceVersion === "0" ? Math.max(this.#compactedTo, this.#version - this.lag) : this.#version;
  }

  async #answer<T>(signal: AbortSignal | undefined, make: () => T): Promise<T> {
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    return make();
  }

  #stateAt(version: number): ReadonlyMap<string, KubeObject> {
    const state = new Map<string, KubeObject>();
    for (const { version: at, type, object } of this.#history) {
      if (at > version) break;
      if (type === "DELETED") state.delete(object.metadata.name);
      else state.set(object.metadata.name, object);
    }
    return state;
  }

  #record(type: HistoryEntry["type"], name: string): void {
    const metadata = { name, namespace: "default", uid: `uid-${name}`, resourceVersion: this.version };
    const entry = { version: this.#version, type, object: { apiVersion: "v1", kind: "ConfigMap", metadata } };
    this.#history.push(entry);
    for (const stream of this.#streams) stream.send(eventLine(entry));
  }
}

export function refusal(code: number, reason: string, details: Status["details"] = {}): ApiError {
  return new ApiError(code, { reason, details }, { verb: "list", resource: "configmaps" });
}

function eventLine({ type, object }: HistoryEntry): string {
  return `${JSON.stringify({ type, object })}\n`;
}

function bookmarkLine(version: number): string {
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { resourceVersion: String(version) } };
  return `${JSON.stringify({ type: "BOOKMARK", object })}\n`;
}

function errorLine(code: number, reason: string): string {
  return `${JSON.stringify({ type: "ERROR", object: { kind: "Status", apiVersion: "v1", code, reason } })}\n`;
}

class Stream implements AsyncIterable<Buffer> {
  readonly #signal: AbortSignal;
  readonly #remove: () => void;
  readonly #chunks: Buffer[] = [];
  #end: { readonly error?: Error } | undefined;
  #isHanging = false;
  #wake: () => void = () => {};
  #cancelTimeout: () => void = () => {};

  constructor(signal: AbortSignal, remove: () => void) {
    this.#signal = signal;
    this.#remove = remove;
    signal.addEventListener("abort", () => this.#finish({ error: signal.reason as Error }), { once: true });
  }

  onEnd(cancel: () => void): void {
    this.#cancelTimeout = cancel;
  }

  send(text: string): void {
    if (this.#isHanging || this.#end !== undefined) return;
    this.#chunks.push(Buffer.from(text));
    this.#wake();
  }

  disturb(fault: StreamFault): void {
    if (this.#isHanging) return;
    switch (fault) {
      case "hang":
        this.#isHanging = true;
        this.#cancelTimeout();
        return;
      case "reset":
        return this.#finish({ error: new Error("socket hang up") });
      case "close":
        return this.#finish({});
      case "cut":
        this.send('{"type":"ADDED","object":{"kind":"Conf');
        return this.#finish({});
      case "garbage":
        return this.send("<html>\n");
      case "expired":
        this.send(errorLine(410, "Expired"));
        return this.#finish({});
      case "internal-error":
        this.send(errorLine(500, "InternalError"));
        return this.#finish({});
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Buffer> {
    try {
      for (;;) {
        this.#signal.throwIfAborted();
        // As a socket does: what came in since the last read is one chunk.
        const chunk = Buffer.concat(this.#chunks.splice(0));
        if (chunk.length > 0) yield chunk;
        else if (this.#end?.error !== undefined) throw this.#end.error;
        else if (this.#end !== undefined) return;
        else await this.#more();
      }
    } finally {
      this.#finish({});
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #finish(end: { readonly error?: Error }): void {
    this.#end ??= end;
    this.#cancelTimeout();
    this.#remove();
    this.#wake();
  }
}
