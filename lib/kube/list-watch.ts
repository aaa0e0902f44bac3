import { fullJitter } from "../process/backoff.ts";
import { delay } from "../process/clock.ts";
import type { Clock, Random } from "../process/clock.ts";
import type { Log } from "../process/log.ts";
import { isExpired, isResourceVersionTooLarge } from "./errors.ts";
import { LineSplitter } from "./line-splitter.ts";
import { listAllPages } from "./paging.ts";
import type { ListPage, ListQuery } from "./paging.ts";
import { resourceName } from "./paths.ts";
import type { ListWatchOptions, Resource, Scope, WatchChange, WatchFailure, WatchState } from "./types.ts";
import { classifyFailure } from "./watch-failure.ts";
import { parseWatchEvent } from "./watch-event.ts";
import type { WatchEvent } from "./watch-event.ts";

export interface WatchQuery {
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
}

/** The two requests that a list-watch is made of. */
export interface ListWatchClient {
  listPage(resource: Resource, scope: Scope, query: ListQuery, signal?: AbortSignal): Promise<ListPage>;
  /** Lines of JSON with bookmarks; aborting `signal` closes the connection. */
  watch(resource: Resource, scope: Scope, query: WatchQuery, signal: AbortSignal): Promise<AsyncIterable<Buffer>>;
}

export interface ListWatchDeps {
  readonly client: ListWatchClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface ListWatch extends AsyncDisposable {
  /** Resolves at the first complete list; rejects when disposed before that. */
  readonly synced: Promise<void>;
  readonly state: WatchState;
}

const backoff = { initialMs: 800, maxMs: 30_000 } as const;
/** A watch that lived this long was a healthy one: the next failure waits as a first one does. */
const healthyAfterMs = 30_000;
/** Random, so that watches that began together do not end together. */
const defaultWatchSeconds = { min: 60, spread: 60 } as const;
/** Silence for this long after the server should have ended the watch: the connection is dead. */
const graceMs = 10_000;
/** Answers of this kind in a row that make us doubt the version we watch from. */
const failuresBeforeRelist = 3;

/**
 * Follows a set of objects for ever: lists it, watches it from there, and begins again whatever ends.
 * After `dispose` has resolved nothing is called back and no connection is open.
 */
export function startListWatch(options: ListWatchOptions, deps: ListWatchDeps): ListWatch {
  const loop = new ListWatchLoop(options, deps);
  const ended = loop.run();
  return {
    synced: loop.synced,
    get state() {
      return loop.state;
    },
    async [Symbol.asyncDispose]() {
      loop.stop();
      await ended;
    },
  };
}

/** How a watch came to its end. */
type WatchEnd =
  | { readonly kind: "timeout" | "closed"; readonly ageMs: number }
  | { readonly kind: "failed"; readonly reason: WatchFailure; readonly error: Error; readonly ageMs: number };

class ListWatchLoop {
  readonly synced: Promise<void>;
  state: WatchState = { kind: "starting" };

  readonly #options: ListWatchOptions;
  readonly #deps: ListWatchDeps;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  readonly #resolveSynced: () => void;
  readonly #rejectSynced: (error: Error) => void;
  /** Version to watch from; undefined when there must be a list first. */
  #resourceVersion: string | undefined;
  /** "0" = any version the server has in its cache; "" = the newest, which costs a read from etcd. */
  #listVersion = "0";
  #attempt = 0;
  #doubts = 0;

  constructor(options: ListWatchOptions, deps: ListWatchDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#log = deps.log.with({ resource: resourceName(options.resource), namespace: options.scope.namespace });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#resolveSynced = resolve;
    this.#rejectSynced = reject;
    // Whoever does not wait for `synced` must not be ended by its rejection.
    promise.catch(() => {});
  }

  stop(): void {
    this.#stopping.abort(new Error("The list-watch was stopped"));
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const version = this.#resourceVersion;
      if (version === undefined) await this.#list();
      else await this.#watch(version);
    }
    this.#rejectSynced(signal.reason as Error);
  }

  async #list(): Promise<void> {
    const { signal } = this.#stopping;
    const { resource, scope, trim } = this.#options;
    const fetchPage = async (query: ListQuery): Promise<ListPage> => {
      const page = await this.#deps.client.listPage(resource, scope, query, signal);
      return trim === undefined ? page : { ...page, items: page.items.map(trim) };
    };
    try {
      const list = await listAllPages(fetchPage, firstQuery(this.#listVersion));
      if (signal.aborted) return;
      this.#follow(list.resourceVersion);
      this.#emit({ kind: "replaced", objects: list.items });
      this.#setSynced();
    } catch (cause) {
      if (signal.aborted) return;
      // The server forgot the version, or has not reached it: ask for the newest it can prove.
      if (isExpired(cause) || isResourceVersionTooLarge(cause)) this.#listVersion = "";
      await this.#fail({ reason: classifyFailure(cause), error: toError(cause) });
    }
  }

  async #watch(version: string): Promise<void> {
    const end = await this.#watchOnce(version);
    if (end === undefined) return;
    if (end.ageMs >= healthyAfterMs) this.#attempt = 0;
    const reason = end.kind === "failed" ? end.reason : end.kind;
    this.#log.debug("A watch ended", { reason, ageMs: end.ageMs });
    this.#options.onRestart?.(reason);
    if (reason === "timeout") return;
    if (reason === "expired") this.#relist("");
    this.#doubts = reason === "malformed" || reason === "server-error" ? this.#doubts + 1 : 0;
    if (this.#doubts >= failuresBeforeRelist) this.#relist(version);
    // Neither an agreed end nor a forgotten version leaves us blind: the next request tells whether all is well.
    if (end.kind === "failed" && reason !== "expired") await this.#fail(end);
    else await this.#pause();
  }

  /** Undefined when the end was asked for. */
  async #watchOnce(version: string): Promise<WatchEnd | undefined> {
    const { clock, random, client } = this.#deps;
    const { resource, scope, watchSeconds = defaultWatchSeconds } = this.#options;
    const timeoutSeconds = watchSeconds.min + Math.floor(random() * watchSeconds.spread);
    const startedMs = clock.monotonic();
    const age = () => clock.monotonic() - startedMs;
    const silence = new AbortController();
    const cancel = clock.after(timeoutSeconds * 1000 + graceMs, () => {
      silence.abort(new Error(`The watch did not end ${graceMs} ms after its ${timeoutSeconds} s`));
    });
    const signal = AbortSignal.any([this.#stopping.signal, silence.signal]);
    try {
      const stream = await client.watch(resource, scope, { resourceVersion: version, timeoutSeconds }, signal);
      signal.throwIfAborted();
      this.#setSynced();
      const cut = await this.#read(stream);
      if (this.#stopping.signal.aborted) return undefined;
      // The server rounds, and its clock is not ours.
      return { kind: !cut && age() >= timeoutSeconds * 1000 - 1000 ? "timeout" : "closed", ageMs: age() };
    } catch (cause) {
      if (this.#stopping.signal.aborted) return undefined;
      return { kind: "failed", reason: classifyFailure(cause), error: toError(cause), ageMs: age() };
    } finally {
      cancel();
    }
  }

  /** Whether the stream ended within a line. */
  async #read(stream: AsyncIterable<Buffer>): Promise<boolean> {
    const { resource } = this.#options;
    const context = { verb: "watch", resource: resourceName(resource) };
    const lines = new LineSplitter();
    for await (const chunk of stream) {
      for (const line of lines.push(chunk)) {
        if (this.#stopping.signal.aborted) return false;
        this.#handle(parseWatchEvent(line, resource.kind, context));
      }
    }
    return lines.pendingBytes > 0;
  }

  #handle(event: WatchEvent): void {
    if (event.kind === "error") throw event.error;
    if (event.kind !== "bookmark") {
      const { trim } = this.#options;
      this.#emit({ kind: event.kind, object: trim === undefined ? event.object : trim(event.object) });
    }
    this.#follow(event.resourceVersion);
    this.#doubts = 0;
  }

  /** Invariant: every change up to this version has been handed over. */
  #follow(resourceVersion: string): void {
    this.#resourceVersion = resourceVersion;
    this.#listVersion = resourceVersion;
  }

  #relist(listVersion: string): void {
    this.#resourceVersion = undefined;
    this.#listVersion = listVersion;
    this.#doubts = 0;
  }

  #emit(change: WatchChange): void {
    try {
      this.#options.onChange(change);
    } catch (error) {
      this.#log.error("A handler of Kubernetes changes failed", { error, change: change.kind });
    }
  }

  #setSynced(): void {
    this.#setState({ kind: "synced" });
    this.#resolveSynced();
  }

  #setState(state: WatchState): void {
    const was = this.state;
    this.state = state;
    if (
      was.kind === state.kind &&
      (was.kind !== "failing" || state.kind !== "failing" || was.reason === state.reason)
    ) {
      return;
    }
    if (state.kind === "failing") {
      this.#log.warn("Cannot follow Kubernetes objects", { reason: state.reason, error: state.error });
    } else if (was.kind === "failing") {
      this.#log.info("Following Kubernetes objects again", { after: was.reason });
    }
    this.#options.onState?.(state);
  }

  async #fail(failure: { readonly reason: WatchFailure; readonly error: Error }): Promise<void> {
    this.#setState({ kind: "failing", reason: failure.reason, error: failure.error });
    await this.#pause();
  }

  async #pause(): Promise<void> {
    const waitMs = fullJitter(this.#attempt, backoff, this.#deps.random);
    this.#attempt += 1;
    try {
      await delay(this.#deps.clock, waitMs, this.#stopping.signal);
    } catch {
      // Stopped while waiting: the loop's condition ends it.
    }
  }
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list */
function firstQuery(version: string): Pick<ListQuery, "resourceVersion" | "resourceVersionMatch"> {
  if (version === "") return {};
  return { resourceVersion: version, resourceVersionMatch: "NotOlderThan" };
}

function toError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
