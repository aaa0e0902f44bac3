import { type FeedId, feeds } from "../feeds.ts";
import type { ConsumerLedger, FeedTotals } from "../hub/counts.ts";
import type { Subscription } from "../server/watch.ts";
import type { NodeFeedTotals } from "./feed-counts.ts";
import type { MetricSources } from "./sources.ts";
import { type Hop, unaccountedByHop } from "./unaccounted.ts";

/** Everything that is known of a feed at one instant. */
export interface FeedSnapshot {
  readonly id: FeedId;
  /** Of all nodes there ever were. */
  readonly nodes: NodeFeedTotals;
  /** Nodes whose stream of it is open. */
  readonly openStreams: number;
  readonly hub: FeedTotals;
  /** Of all there ever were. */
  readonly subscribers: ConsumerLedger;
  readonly stdout: ConsumerLedger;
  readonly unaccounted: Readonly<Record<Hop, number>>;
  /** Those that are served now. */
  readonly subscriptions: readonly Subscription[];
}

/** Reads all counters in one go, so that they belong together: nothing else happens meanwhile. */
export function takeSnapshot(sources: MetricSources): readonly FeedSnapshot[] {
  const active = sources.subscriptions.list();
  const known = sources.nodes.nodes;
  return feeds.map(({ id }) => {
    const counts = sources.stdout.counts(id);
    const nodes = sources.nodes.totals(id);
    const hub = sources.hub.totals(id);
    const subscribers = sources.subscriptions.totals(id);
    const stdout = { ...counts, expected: sources.stdoutExpected?.(id) ?? counts.offered };
    return {
      id,
      nodes,
      openStreams: known.filter((node) => node.counts.get(id)?.isOpen === true).length,
      hub,
      subscribers,
      stdout,
      unaccounted: unaccountedByHop({ nodes: nodes.events, hub, subscribers, stdout }),
      subscriptions: active.filter(({ feed }) => feed === id),
    };
  });
}
