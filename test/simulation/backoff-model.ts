import type { BackoffOptions } from "../../lib/process/backoff.ts";
import { type FeedId, feeds } from "../../relay/feeds.ts";
import type { NodeOptions } from "../../relay/nodes/node-options.ts";

/** The bounds are multiplied in floating point. */
const slackMs = 1e-6;

/** How soon one node may, and how late it must, dial again, and ask again for a stream that ended: told in words in node-options.ts, here once more. */
export class BackoffModel {
  readonly #options: NodeOptions;
  readonly #minDraw: number;
  readonly #streams = new Map<FeedId, StreamBackoff>();
  #missedMs = 0;
  #missingSinceMs: number;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #notAfterMs = Number.POSITIVE_INFINITY;

  constructor(options: NodeOptions, minDraw: number, foundMs: number) {
    this.#options = options;
    this.#minDraw = minDraw;
    this.#missingSinceMs = foundMs;
  }

  mayDial(nowMs: number): boolean {
    return this.earlyMs(nowMs) <= slackMs;
  }

  earlyMs(nowMs: number): number {
    return this.#notBeforeMs - nowMs;
  }

  /** A node that only waits must have dialled by then. */
  get dialsByMs(): number {
    return this.#notAfterMs;
  }

  dialled(): void {
    this.#streams.clear();
    for (const { id } of feeds) {
      this.#streams.set(id, { attempt: 0, askedMs: 0, hasDelivered: false, ...atAnyTime });
    }
  }

  /** A connection is over that was healthy for so long. */
  lost(nowMs: number, healthyMs: number, hasDelivered: boolean): void {
    const { stableMs, usefulMs, reconnect } = this.#options;
    const isProven = healthyMs >= (hasDelivered ? usefulMs : stableMs);
    this.#missedMs = isProven ? 0 : this.#missedMs + nowMs - this.#missingSinceMs - healthyMs;
    this.#missingSinceMs = nowMs;
    const longestMs = Math.min(reconnect.maxMs, Math.max(reconnect.initialMs, this.#missedMs));
    this.#notBeforeMs = nowMs + this.#minDraw * longestMs;
    this.#notAfterMs = nowMs + longestMs;
  }

  mayAsk(feed: FeedId, nowMs: number): boolean {
    return (this.#streams.get(feed)?.notBeforeMs ?? 0) - nowMs <= slackMs;
  }

  /** A stream that is not asked for must be by then, while its connection takes any. */
  asksByMs(feed: FeedId): number {
    return this.#streams.get(feed)?.notAfterMs ?? Number.POSITIVE_INFINITY;
  }

  asked(feed: FeedId, nowMs: number): void {
    const stream = this.#streams.get(feed);
    if (stream === undefined) return;
    stream.askedMs = nowMs;
    stream.hasDelivered = false;
  }

  delivered(feed: FeedId): void {
    const stream = this.#streams.get(feed);
    if (stream !== undefined) stream.hasDelivered = true;
  }

  streamOver(feed: FeedId, isRefused: boolean, nowMs: number): void {
    const stream = this.#streams.get(feed);
    if (stream === undefined) return;
    const bounds = isRefused ? this.#options.reconnect : this.#options.reopen;
    const isProven = stream.hasDelivered || nowMs - stream.askedMs >= boundMs(stream.attempt, bounds);
    if (isProven) stream.attempt = 0;
    const longestMs = boundMs(stream.attempt, bounds);
    stream.notBeforeMs = nowMs + this.#minDraw * longestMs;
    stream.notAfterMs = nowMs + longestMs;
    stream.attempt += 1;
  }
}

interface StreamBackoff {
  attempt: number;
  askedMs: number;
  hasDelivered: boolean;
  notBeforeMs: number;
  notAfterMs: number;
}

const atAnyTime = { notBeforeMs: Number.NEGATIVE_INFINITY, notAfterMs: Number.POSITIVE_INFINITY };

function boundMs(attempt: number, { initialMs, maxMs }: BackoffOptions): number {
  return Math.min(maxMs, initialMs * 2 ** attempt);
}
