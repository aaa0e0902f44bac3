import { proportionalJitter } from "../../lib/process/backoff.ts";
import { delay } from "../../lib/process/clock.ts";
import { errorText, type Log } from "../../lib/process/log.ts";
import { type FeedId, feeds } from "../feeds.ts";
import { FeedCounts } from "../ledger/feed-counts.ts";
import { RateWindow, type Rates } from "../ledger/rate-window.ts";
import { ThrottleCounts } from "../ledger/throttle.ts";
import { type Agent, type Endpoint, endpointText } from "./agent.ts";
import { type Loss, serveConnection } from "./connection.ts";
import type { OpenLink } from "./link.ts";
import type { NodeDeps, NodeOptions } from "./node-options.ts";
import { isConnectionProven } from "./proven.ts";

export { defaultNodeOptions } from "./node-options.ts";

/** Times are milliseconds since 1970. */
export type NodeState =
  | { readonly kind: "connecting"; readonly sinceMs: number; readonly attempt: number }
  | { readonly kind: "connected"; readonly sinceMs: number; readonly endpoint: string }
  | {
      readonly kind: "waiting";
      readonly sinceMs: number;
      readonly attempt: number;
      readonly error: string;
      readonly retryAtMs: number;
    }
  | { readonly kind: "closed"; readonly sinceMs: number };

/** What went wrong the last time, kept while all is well again. */
export interface NodeError {
  readonly message: string;
  readonly atMs: number;
}

/**
 * Keeps one agent connected for as long as it exists: connects, opens every feed, opens a broken feed again alone, and
 * starts over with growing, jittered waits when the connection is lost.
 */
export class Node {
  readonly agent: Agent;
  readonly foundMs: number;
  readonly counts: ReadonlyMap<FeedId, FeedCounts>;
  readonly throttle = new ThrottleCounts();
  readonly #rates: ReadonlyMap<FeedId, RateWindow>;
  readonly #options: NodeOptions;
  readonly #deps: NodeDeps;
  readonly #openLink: OpenLink;
  readonly #log: Log;
  readonly #closing = new AbortController();
  readonly #finished: Promise<void>;
  #state: NodeState;
  #lastError: NodeError | undefined;

  constructor(agent: Agent, options: NodeOptions, deps: NodeDeps, openLink: OpenLink) {
    this.agent = agent;
    this.#options = options;
    this.#log = deps.log.with({ node: agent.name });
    this.#deps = { ...deps, log: this.#log };
    this.#openLink = openLink;
    const { clock } = deps;
    this.foundMs = clock.now();
    this.counts = new Map(feeds.map(({ id }) => [id, new FeedCounts(clock)]));
    this.#rates = new Map(feeds.map(({ id }) => [id, new RateWindow(clock.monotonic())]));
    this.#state = { kind: "connecting", sinceMs: this.foundMs, attempt: 0 };
    this.#finished = this.#run(this.#closing.signal);
  }

  get state(): NodeState {
    return this.#state;
  }

  get lastError(): NodeError | undefined {
    return this.#lastError;
  }

  /** To be called every `rateSampleMs`, for `rates`. */
  sampleRates(): void {
    const nowMs = this.#deps.clock.monotonic();
    for (const [feed, window] of this.#rates) window.sample(nowMs, this.counts.get(feed)?.events ?? 0);
  }

  rates(feed: FeedId): Rates | undefined {
    return this.#rates.get(feed)?.rates(this.#deps.clock.monotonic(), this.counts.get(feed)?.events ?? 0);
  }

  /** Hangs up at once; resolves when nothing is left. */
  close(): Promise<void> {
    this.#closing.abort(new Error(`Node ${this.agent.name} is closed`));
    return this.#finished;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    let attempt = 0;
    /** How long the agent has been missed since it was last there for good. */
    let missedMs = 0;
    let missingSinceMs = clock.monotonic();
    // Moves on when an address does not answer: an agent of both families may listen on one of them only.
    let address = 0;
    while (!signal.aborted) {
      this.#state = { kind: "connecting", sinceMs: clock.now(), attempt };
      const endpoint = this.agent.endpoints[address % this.agent.endpoints.length];
      if (endpoint === undefined) throw new TypeError(`Agent ${this.agent.id} has no endpoint`);
      const loss = await this.#connect(endpoint, signal);
      if (loss === undefined) break;
      if (!loss.wasHealthy) address += 1;
      const isProven = isConnectionProven(loss.life, this.#options);
      if (isProven) attempt = 0;
      const nowMs = clock.monotonic();
      missedMs = isProven ? 0 : missedMs + nowMs - missingSinceMs - loss.life.livedMs;
      missingSinceMs = nowMs;
      await this.#wait(attempt, missedMs, loss.error, signal);
      attempt += 1;
    }
    this.#state = { kind: "closed", sinceMs: clock.now() };
    for (const counts of this.counts.values()) counts.left();
  }

  /** One connection, from waiting for a slot to its loss; undefined when `signal` ended it. */
  async #connect(endpoint: Endpoint, signal: AbortSignal): Promise<Loss | undefined> {
    const { clock, dialling } = this.#deps;
    // The only reason not to get one is to be closed while waiting for it.
    using slot = await dialling.acquire(signal).catch(() => undefined);
    if (slot === undefined) return undefined;
    const cancelSlot = clock.after(this.#options.dialSlotMs, () => slot[Symbol.dispose]());
    const onHealthy = () => {
      slot[Symbol.dispose]();
      this.#state = { kind: "connected", endpoint: endpointText(endpoint), sinceMs: clock.now() };
      this.#log.info("Node connected", { endpoint: endpointText(endpoint) });
    };
    const { counts, throttle } = this;
    const deps = { ...this.#deps, openLink: this.#openLink, counts, throttle, onHealthy };
    const loss = await serveConnection(endpoint, this.#options, deps, signal);
    cancelSlot();
    return signal.aborted ? undefined : loss;
  }

  async #wait(attempt: number, missedMs: number, error: unknown, signal: AbortSignal): Promise<void> {
    const waitMs = proportionalJitter(missedMs, this.#options.reconnect, this.#deps.random);
    const sinceMs = this.#deps.clock.now();
    const message = errorText(error);
    this.#lastError = { message, atMs: sinceMs };
    this.#state = { kind: "waiting", sinceMs, attempt, error: message, retryAtMs: sinceMs + waitMs };
    // The first loss is news; that an absent agent is still absent is not.
    const level = attempt === 0 ? "warn" : "debug";
    this.#log[level]("Node lost", { error, attempt, retryInMs: Math.round(waitMs) });
    await delay(this.#deps.clock, waitMs, signal).catch(() => {
      // Closed while waiting: the caller's loop ends.
    });
  }
}
