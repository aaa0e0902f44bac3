import { fullJitter } from "../../lib/process/backoff.ts";
import { delay } from "../../lib/process/clock.ts";
import type { Log } from "../../lib/process/log.ts";
import type { Feed } from "../feeds.ts";
import type { StreamEnd } from "./grpc-call.ts";
import type { Link } from "./link.ts";
import type { NodeDeps, NodeOptions } from "./node-options.ts";
import { isStreamProven } from "./proven.ts";

/** One feed of one node, in events and bytes since the node was found. */
export interface FeedCounts {
  events: number;
  bytes: number;
  /** Streams that were open and broke: between their end and the next opening the agent's events are missing. */
  breaks: number;
  isOpen: boolean;
}

/**
 * Keeps one feed's stream open for as long as its connection lasts.
 *
 * When is it open? Agents send no headers before their first event, so an idle stream looks like one that was never
 * accepted. It is taken for open when the agent has answered it, or the connection's HealthCheck, which was asked behind
 * it; on a connection whose HealthCheck was answered, when it is asked for. Only the end of an open stream is a break, and
 * only when the agent did not refuse it.
 */
export class FeedStream {
  readonly #feed: Feed;
  readonly #counts: FeedCounts;
  readonly #options: NodeOptions;
  readonly #deps: NodeDeps;
  readonly #log: Log;
  #isAsked = false;
  #isHealthy = false;
  #warnedMs = Number.NEGATIVE_INFINITY;

  constructor(feed: Feed, counts: FeedCounts, options: NodeOptions, deps: NodeDeps) {
    this.#feed = feed;
    this.#counts = counts;
    this.#options = options;
    this.#deps = deps;
    this.#log = deps.log.with({ feed: feed.id });
  }

  /** The HealthCheck of the connection was answered. */
  onHealthy(): void {
    this.#isHealthy = true;
    this.#counts.isOpen = this.#isAsked;
  }

  /** Resolves when the connection takes no more streams, or `lost` aborts. `closing` = it is we who hang up. */
  async keepOpen(link: Link, lost: AbortSignal, closing: AbortSignal): Promise<void> {
    const counts = this.#counts;
    for (let attempt = 0; !lost.aborted && link.isUsable; attempt++) {
      const askedMs = this.#deps.clock.monotonic();
      const eventsBefore = counts.events;
      const end = await this.#watch(link, lost);
      const wasOpen = counts.isOpen && end.kind !== "refused";
      counts.isOpen = false;
      if (wasOpen && !closing.aborted) counts.breaks += 1;
      if (lost.aborted || !link.isUsable) return;
      const bounds = end.kind === "refused" ? this.#options.reconnect : this.#options.reopen;
      const livedMs = this.#deps.clock.monotonic() - askedMs;
      if (isStreamProven({ livedMs, hasDelivered: counts.events > eventsBefore }, attempt, bounds)) attempt = 0;
      const waitMs = fullJitter(attempt, bounds, this.#deps.random);
      this.#logEnd(end, attempt, waitMs);
      await delay(this.#deps.clock, waitMs, lost).catch(() => {
        // The connection is over: the loop's condition ends it.
      });
    }
  }

  async #watch(link: Link, lost: AbortSignal): Promise<StreamEnd> {
    const counts = this.#counts;
    const onRun = (run: Buffer, events: number) => {
      counts.events += events;
      counts.bytes += run.length;
      this.#deps.publish(this.#feed.id, run, events);
    };
    const onAnswer = () => {
      counts.isOpen = true;
    };
    const watching = link.watch(this.#feed, { onRun, onAnswer }, lost);
    this.#isAsked = true;
    counts.isOpen = this.#isHealthy;
    try {
      return await watching;
    } finally {
      this.#isAsked = false;
    }
  }

  /** A warning now and then: an agent whose events end the stream would fill the log. */
  #logEnd(end: StreamEnd, attempt: number, waitMs: number): void {
    const nowMs = this.#deps.clock.monotonic();
    const isNews = attempt === 0 && nowMs - this.#warnedMs >= this.#options.stableMs;
    if (isNews) this.#warnedMs = nowMs;
    const { kind, message } = end;
    const retryInMs = Math.round(waitMs);
    this.#log[isNews ? "warn" : "debug"]("Stream ended", { end: kind, reason: message, attempt, retryInMs });
  }
}
