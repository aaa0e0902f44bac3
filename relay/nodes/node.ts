import { type ClientHttp2Session, constants } from "node:http2";
import { fullJitter } from "../../lib/process/backoff.ts";
import { type Clock, delay, type Random } from "../../lib/process/clock.ts";
import { errorText, type Log } from "../../lib/process/log.ts";
import { type Feed, type FeedId, feeds } from "../feeds.ts";
import { type Agent, endpointText } from "./agent.ts";
import { openSession } from "./open-session.ts";
import type { Slots } from "./slots.ts";
import { checkHealth, type StreamEnd, watchFeed } from "./watch-feed.ts";

export interface NodeOptions {
  readonly connectDeadlineMs: number;
  readonly healthDeadlineMs: number;
  /** No frame of any kind for this long = dead: an idle agent pings every second. */
  readonly silenceMs: number;
  /** Bounds of the wait between two connections. */
  readonly reconnect: { readonly initialMs: number; readonly maxMs: number };
  /** Bounds of the wait before one broken stream is opened again on its connection. */
  readonly reopen: { readonly initialMs: number; readonly maxMs: number };
  /** What has been up for this long starts again from the first wait. */
  readonly stableMs: number;
  /** How long an agent that announced its end may go on sending on open streams. */
  readonly goawayGraceMs: number;
}

export const defaultNodeOptions: NodeOptions = {
  connectDeadlineMs: 5_000,
  healthDeadlineMs: 5_000,
  silenceMs: 20_000,
  reconnect: { initialMs: 500, maxMs: 30_000 },
  reopen: { initialMs: 50, maxMs: 30_000 },
  stableMs: 60_000,
  goawayGraceMs: 5_000,
};

export type NodeState =
  | { readonly kind: "connecting"; readonly attempt: number }
  | { readonly kind: "connected"; readonly endpoint: string; readonly sinceMs: number }
  | { readonly kind: "waiting"; readonly attempt: number; readonly error: string }
  | { readonly kind: "closed" };

/** One feed of one node, in events and bytes since the node was found. */
export interface FeedCounts {
  events: number;
  bytes: number;
  /** Streams that were open and broke: between their end and the next opening the agent's events are missing. */
  breaks: number;
  isOpen: boolean;
}

export interface NodeDeps {
  readonly publish: (feed: FeedId, run: Buffer, events: number) => void;
  /** Bounds how many nodes dial at a time. */
  readonly dialling: Slots;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Keeps one agent connected for as long as it exists: connects, opens every feed, opens a broken feed again alone, and
 * starts over with growing, jittered waits when the connection is lost.
 */
export class Node {
  readonly agent: Agent;
  readonly counts: ReadonlyMap<FeedId, FeedCounts> = new Map(
    feeds.map(({ id }) => [id, { events: 0, bytes: 0, breaks: 0, isOpen: false }]),
  );
  readonly #options: NodeOptions;
  readonly #deps: NodeDeps;
  readonly #log: Log;
  readonly #closing = new AbortController();
  readonly #finished: Promise<void>;
  #state: NodeState = { kind: "connecting", attempt: 0 };
  #lastHeardMs = 0;

  constructor(agent: Agent, options: NodeOptions, deps: NodeDeps) {
    this.agent = agent;
    this.#options = options;
    this.#deps = deps;
    this.#log = deps.log.with({ node: agent.name });
    this.#finished = this.#run(this.#closing.signal);
  }

  get state(): NodeState {
    return this.#state;
  }

  /** Hangs up at once; resolves when nothing is left. */
  close(): Promise<void> {
    this.#closing.abort(new Error(`Node ${this.agent.name} is closed`));
    return this.#finished;
  }

  async #run(signal: AbortSignal): Promise<void> {
    let attempt = 0;
    // Moves on when an address does not answer: an agent of both families may listen on one of them only.
    let address = 0;
    while (!signal.aborted) {
      this.#state = { kind: "connecting", attempt };
      const startedMs = this.#deps.clock.monotonic();
      let isHealthy = false;
      let error: unknown;
      try {
        const endpoint = this.agent.endpoints[address % this.agent.endpoints.length];
        if (endpoint === undefined) throw new TypeError(`Agent ${this.agent.id} has no endpoint`);
        using slot = await this.#deps.dialling.acquire(signal);
        const session = await openSession(endpoint, this.#options.connectDeadlineMs, signal);
        await this.#serve(session, endpointText(endpoint), signal, () => {
          isHealthy = true;
          slot[Symbol.dispose]();
        });
      } catch (caught) {
        error = caught;
      }
      if (signal.aborted) break;
      if (!isHealthy) address += 1;
      if (this.#deps.clock.monotonic() - startedMs >= this.#options.stableMs) attempt = 0;
      await this.#wait(attempt, error, signal);
      attempt += 1;
    }
    this.#state = { kind: "closed" };
  }

  async #wait(attempt: number, error: unknown, signal: AbortSignal): Promise<void> {
    const waitMs = fullJitter(attempt, this.#options.reconnect, this.#deps.random);
    this.#state = { kind: "waiting", attempt, error: errorText(error) };
    // The first loss is news; that an absent agent is still absent is not.
    const level = attempt === 0 ? "warn" : "debug";
    this.#log[level]("Node lost", { error, attempt, retryInMs: Math.round(waitMs) });
    await delay(this.#deps.clock, waitMs, signal).catch(() => {
      // Closed while waiting: the caller's loop ends.
    });
  }

  /** Feeds from one connection until it is lost, which it reports by throwing the reason. */
  async #serve(
    session: ClientHttp2Session,
    endpoint: string,
    closing: AbortSignal,
    onHealthy: () => void,
  ): Promise<never> {
    const over = new AbortController();
    const lose = (reason: Error) => over.abort(reason);
    const onClosing = () => lose(closing.reason as Error);
    closing.addEventListener("abort", onClosing, { once: true });
    if (closing.aborted) onClosing();
    const stopWatchdog = this.#watchSilence(lose);
    let cancelGrace: (() => void) | undefined;
    session.on("error", (cause) => lose(new Error("Connection failed", { cause })));
    session.on("close", () => lose(new Error("Agent closed the connection")));
    session.on("ping", () => this.#heard());
    session.on("goaway", (code: number) => {
      const reason = new Error(`Agent ended the connection (GOAWAY ${code})`);
      // NO_ERROR announces the end and lets open streams finish; they must not stay open for ever on a closing connection.
      if (code === constants.NGHTTP2_NO_ERROR)
        cancelGrace = this.#deps.clock.after(this.#options.goawayGraceMs, () => lose(reason));
      else lose(reason);
    });
    try {
      this.#heard();
      const streams = feeds.map((feed) => this.#keepFeedOpen(session, feed, over.signal));
      const health = checkHealth(session, randomNonce(this.#deps.random), this.#options.healthDeadlineMs)
        .then(() => {
          onHealthy();
          this.#state = { kind: "connected", endpoint, sinceMs: this.#deps.clock.now() };
          this.#log.info("Node connected", { endpoint });
        })
        .catch(lose);
      await new Promise<void>((resolve) => {
        if (over.signal.aborted) resolve();
        else over.signal.addEventListener("abort", () => resolve(), { once: true });
      });
      session.destroy();
      await Promise.all([health, ...streams]);
      throw over.signal.reason as Error;
    } finally {
      closing.removeEventListener("abort", onClosing);
      stopWatchdog();
      cancelGrace?.();
    }
  }

  async #keepFeedOpen(session: ClientHttp2Session, feed: Feed, signal: AbortSignal): Promise<void> {
    const counts = this.counts.get(feed.id);
    if (counts === undefined) throw new TypeError(`Cannot find feed "${feed.id}" in the feed table`);
    const onRun = (run: Buffer, events: number) => {
      counts.events += events;
      counts.bytes += run.length;
      this.#deps.publish(feed.id, run, events);
    };
    for (let attempt = 0; !signal.aborted; attempt++) {
      const openedMs = this.#deps.clock.monotonic();
      counts.isOpen = true;
      const end = await watchFeed(session, feed, onRun, () => this.#heard(), signal);
      counts.isOpen = false;
      if (!this.#closing.signal.aborted) counts.breaks += 1;
      if (signal.aborted || session.destroyed || session.closed) return;
      if (this.#deps.clock.monotonic() - openedMs >= this.#options.stableMs) attempt = 0;
      const waitMs = fullJitter(attempt, this.#options.reopen, this.#deps.random);
      this.#logStreamEnd(feed, end, attempt, waitMs);
      await delay(this.#deps.clock, waitMs, signal).catch(() => {
        // The connection is over: the loop's condition ends it.
      });
    }
  }

  #logStreamEnd(feed: Feed, end: StreamEnd, attempt: number, waitMs: number): void {
    const level = attempt === 0 ? "warn" : "debug";
    this.#log[level]("Stream ended", {
      feed: feed.id,
      end: end.kind,
      reason: end.message,
      attempt,
      retryInMs: Math.round(waitMs),
    });
  }

  #heard(): void {
    this.#lastHeardMs = this.#deps.clock.monotonic();
  }

  /** Calls `lose` once nothing was heard for too long; the returned function stops watching. */
  #watchSilence(lose: (reason: Error) => void): () => void {
    let cancel: (() => void) | undefined;
    const look = () => {
      const silentMs = this.#deps.clock.monotonic() - this.#lastHeardMs;
      if (silentMs >= this.#options.silenceMs) lose(new Error(`Nothing heard for ${Math.round(silentMs)} ms`));
      else cancel = this.#deps.clock.after(this.#options.silenceMs - silentMs, look);
    };
    this.#heard();
    look();
    return () => cancel?.();
  }
}

/** Any number does, so long as it differs between agents now and then; one that fits a byte is simple to encode. */
function randomNonce(random: Random): number {
  return 1 + Math.floor(random() * 127);
}
