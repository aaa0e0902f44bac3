import type { BackoffOptions } from "../../lib/process/backoff.ts";
import { type FeedId, feeds } from "../../relay/feeds.ts";
import type { NodeOptions } from "../../relay/nodes/node-options.ts";

/** The bounds are multiplied in floating point. */
const slackMs = 1e-6;

/** How soon one node may dial again, and ask again for a stream that ended: told in words in node-options.ts, here once more. */
export class BackoffModel {
  readonly #options: NodeOptions;
  readonly #minDraw: number;
  readonly #streams = new Map<FeedId, StreamBackoff>();
  #missedMs = 0;
  #missingSinceMs: number | undefined;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(options: NodeOptions, minDraw: number) {
    this.#options = options;
    this.#minDraw = minDraw;
  }

  mayDial(nowMs: number): boolean {
    return this.earlyMs(nowMs) <= slackMs;
  }

  earlyMs(nowMs: number): number {
    return this.#notBeforeMs - nowMs;
  }

  dialled(nowMs: number): void {
    this.#missingSinceMs ??= nowMs;
    this.#streams.clear();
    for (const { id } of feeds) {
      this.#streams.set(id, { attempt: 0, askedMs: 0, hasDelivered: false, notBeforeMs: Number.NEGATIVE_INFINITY });
    }
  }

  /** A connection is over that was healthy for so long. */
  lost(nowMs: number, healthyMs: number, hasDelivered: boolean): void {
    const { stableMs, usefulMs, reconnect } = this.#options;
    const isProven = healthyMs >= (hasDelivered ? usefulMs : stableMs);
    this.#missedMs = isProven ? 0 : this.#missedMs + nowMs - (this.#missingSinceMs ?? nowMs) - healthyMs;
    this.#missingSinceMs = nowMs;
    const longestMs = Math.min(reconnect.maxMs, Math.max(reconnect.initialMs, this.#missedMs));
    this.#notBeforeMs = nowMs + this.#minDraw * longestMs;
  }

  mayAsk(feed: FeedId, nowMs: number): boolean {
    return (this.#streams.get(feed)?.notBeforeMs ?? 0) - nowMs <= slackMs;
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
    stream.notBeforeMs = nowMs + this.#minDraw * boundMs(stream.attempt, bounds);
    stream.attempt += 1;
  }
}

interface StreamBackoff {
  attempt: number;
  askedMs: number;
  hasDelivered: boolean;
  notBeforeMs: number;
}

function boundMs(attempt: number, { initialMs, maxMs }: BackoffOptions): number {
  return Math.min(maxMs, initialMs * 2 ** attempt);
}
