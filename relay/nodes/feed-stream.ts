import { fullJitter } from "../../lib/process/backoff.ts";
import { delay } from "../../lib/process/clock.ts";
import type { Log } from "../../lib/process/log.ts";
import type { Feed } from "../feeds.ts";
import type { FeedCounts } from "../ledger/feed-counts.ts";
import type { StreamEndReason } from "../ledger/stream-end.ts";
import type { ThrottleCounts } from "../ledger/throttle.ts";
import type { StreamEnd } from "./grpc-call.ts";
import type { Link } from "./link.ts";
import type { NodeDeps, NodeOptions } from "./node-options.ts";
import { isStreamProven } from "./proven.ts";

export interface FeedStreamDeps extends NodeDeps {
  readonly throttle: ThrottleCounts;
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
  readonly #deps: FeedStreamDeps;
  readonly #log: Log;
  #isAsked = false;
  #isHealthy = false;
  #warnedMs = Number.NEGATIVE_INFINITY;

  constructor(feed: Feed, counts: FeedCounts, options: NodeOptions, deps: FeedStreamDeps) {
    this.#feed = feed;
    this.#counts = counts;
    this.#options = options;
    this.#deps = deps;
    this.#log = deps.log.with({ feed: feed.id });
  }

  /** The HealthCheck of the connection was answered. */
  onHealthy(): void {
    this.#isHealthy = true;
    if (this.#isAsked) this.#counts.opened();
  }

  /** Resolves when the connection takes no more streams, or `lost` aborts. `closing` = it is we who hang up. */
  async keepOpen(link: Link, lost: AbortSignal, closing: AbortSignal): Promise<void> {
    const counts = this.#counts;
    for (let attempt = 0; !lost.aborted && link.isUsable; attempt++) {
      const askedMs = this.#deps.clock.monotonic();
      const eventsBefore = counts.events;
      const end = await this.#watch(link, lost).catch((error: unknown) => {
        // A link that fails instead of ending the stream takes its connection with it.
        if (!closing.aborted) counts.ended("connection-lost");
        throw error;
      });
      if (closing.aborted) return;
      const isOver = lost.aborted || !link.isUsable;
      counts.ended(endReason(end, isOver));
      if (isOver) return;
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
    const { publish, throttle, clock } = this.#deps;
    const { id } = this.#feed;
    const hasNotices = id === "alerts";
    const onRun = (run: Buffer, events: number) => {
      counts.received(events, run.length);
      if (hasNotices) throttle.look(run, clock.now());
      publish(id, run, events);
    };
    try {
      const watching = link.watch(this.#feed, { onRun, onAnswer: () => counts.opened() }, lost);
      this.#isAsked = true;
      if (this.#isHealthy) counts.opened();
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

/** A status, and bytes that cannot be read, tell more than that the connection went, too. */
function endReason(end: StreamEnd, isConnectionOver: boolean): StreamEndReason {
  switch (end.kind) {
    case "status":
    case "refused":
      return end.kind;
    case "framing":
      return end.fault;
    case "broken":
      return isConnectionOver ? "connection-lost" : "reset";
  }
}
