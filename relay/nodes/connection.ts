import { constants } from "node:http2";
import { type FeedId, feeds } from "../feeds.ts";
import type { FeedCounts } from "../ledger/feed-counts.ts";
import type { Endpoint } from "./agent.ts";
import { FeedStream, type FeedStreamDeps } from "./feed-stream.ts";
import type { OpenLink } from "./link.ts";
import type { NodeOptions } from "./node-options.ts";
import type { Life } from "./proven.ts";
import { SilenceWatch } from "./silence.ts";

export interface ConnectionDeps extends FeedStreamDeps {
  readonly openLink: OpenLink;
  readonly counts: ReadonlyMap<FeedId, FeedCounts>;
  /** The agent has answered as one. */
  readonly onHealthy: () => void;
}

/** How a connection ended. */
export interface Loss {
  readonly error: unknown;
  readonly wasHealthy: boolean;
  readonly life: Life;
}

/** Connects, feeds from the connection until it is lost, and leaves nothing of it open. Aborting `closing` hangs up. */
export async function serveConnection(
  endpoint: Endpoint,
  options: NodeOptions,
  deps: ConnectionDeps,
  closing: AbortSignal,
): Promise<Loss> {
  const { clock, counts } = deps;
  const eventsBefore = totalEvents(counts);
  let healthyMs: number | undefined;
  const loss = (error: unknown): Loss => ({
    error,
    wasHealthy: healthyMs !== undefined,
    life: {
      livedMs: healthyMs === undefined ? 0 : clock.monotonic() - healthyMs,
      hasDelivered: totalEvents(counts) > eventsBefore,
    },
  });

  const over = new AbortController();
  const lost = AbortSignal.any([over.signal, closing]);
  const lose = (reason: Error) => over.abort(reason);
  using silence = new SilenceWatch(options.silenceMs, clock, (silentMs) =>
    lose(new Error(`Nothing heard for ${Math.round(silentMs)} ms`)),
  );
  using stack = new DisposableStack();
  let isEnding = false;
  const onGoaway = (code: number) => {
    const reason = new Error(`Agent ended the connection (GOAWAY ${code})`);
    if (code !== constants.NGHTTP2_NO_ERROR) lose(reason);
    if (isEnding) return;
    isEnding = true;
    // NO_ERROR announces the end and lets open streams finish; they must not stay open for ever on a closing connection.
    stack.defer(clock.after(options.goawayGraceMs, () => lose(reason)));
  };
  try {
    const link = await deps.openLink(endpoint, { onHeard: () => silence.heard(), onLost: lose, onGoaway }, lost);
    const streams = feeds.map((feed) => new FeedStream(feed, countsOf(counts, feed.id), options, deps));
    const served = streams.map((stream) => stream.keepOpen(link, lost, closing).catch(lose));
    // Last, because its answer says that the agent has seen the streams, too.
    const health = link
      .checkHealth()
      .then(() => {
        if (lost.aborted) return;
        healthyMs = clock.monotonic();
        for (const stream of streams) stream.onHealthy();
        deps.onHealthy();
      })
      .catch(lose);
    await aborted(lost);
    link.destroy();
    await Promise.all([health, ...served]);
    return loss(lost.reason);
  } catch (error) {
    return loss(error);
  }
}

function totalEvents(counts: ReadonlyMap<FeedId, FeedCounts>): number {
  let sum = 0;
  for (const { events } of counts.values()) sum += events;
  return sum;
}

function countsOf(counts: ReadonlyMap<FeedId, FeedCounts>, feed: FeedId): FeedCounts {
  const found = counts.get(feed);
  if (found === undefined) throw new TypeError(`Cannot find feed "${feed}" in the feed table`);
  return found;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
