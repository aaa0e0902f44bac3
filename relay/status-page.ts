import type { WatchState } from "../lib/kube/types.ts";
import { type FeedId, feeds } from "./feeds.ts";
import { addRates, noRates, type Rates } from "./ledger/rate-window.ts";
import { type FeedSnapshot, takeSnapshot } from "./ledger/snapshot.ts";
import type { MetricSources } from "./ledger/sources.ts";
import type { Node } from "./nodes/node.ts";
import type { Subscription } from "./server/watch.ts";

/** What `GET /statusz` shows: who is connected, how it goes, what was lost. For people and for support bundles; docs/statusz.md. */
export function statusPage(sources: MetricSources): unknown {
  const { version, hub, nodes, subscriptions } = sources;
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    version,
    settingsHash: sources.settingsHash?.(),
    settingsErrors: sources.settingsErrors(),
    report: sources.report?.(),
    process: {
      startedMs: Math.round(performance.timeOrigin),
      ports: sources.ports?.(),
      memory: { residentBytes: rss, heapBytes: heapUsed, externalBytes: external },
      buffer: { usedBytes: hub.budget.usedBytes, maxBytes: hub.budget.maxBytes },
      eventLoopDelay: sources.eventLoop?.summary(),
      connections: sources.server?.()?.connections,
      stdoutLeader: sources.stdoutLeader?.(),
    },
    feeds: Object.fromEntries(takeSnapshot(sources).map((feed) => [feed.id, feedStatus(feed, sources)])),
    throttleNotices: nodes.throttleNotices,
    watches: sources.watches().map(({ namespace, state }) => Object.assign({ namespace }, watchStatus(state))),
    peers: {
      hosts: sources.hosts?.(),
      watches: sources.hostWatches?.().map(({ resource, state }) => Object.assign({ resource }, watchStatus(state))),
    },
    nodes: nodes.nodes.map(nodeStatus),
    subscribers: subscriptions.list().map(subscriberStatus),
  };
}

function watchStatus(state: WatchState): { readonly kind: string; readonly error?: string } {
  return state.kind === "failing" ? { kind: state.reason, error: state.error.message } : { kind: state.kind };
}

function feedStatus(
  { id, hub, nodes, openStreams, subscribers, stdout, unaccounted }: FeedSnapshot,
  { enrichment, nodes: pool }: MetricSources,
): unknown {
  return {
    ...hub,
    unaccounted,
    agents: { ...nodes, openStreams, rates: ratesOf(pool.nodes, id) },
    enrichment: enrichment?.(id),
    subscribers,
    stdout,
  };
}

function ratesOf(nodes: readonly Node[], feed: FeedId): Rates {
  return nodes.reduce<Rates>((sum, node) => addRates(sum, node.rates(feed) ?? noRates), noRates);
}

function subscriberStatus(subscription: Subscription): unknown {
  const method = feeds.find(({ id }) => id === subscription.feed)?.path;
  return { method, ...subscription };
}

function nodeStatus(node: Node): unknown {
  const { agent, state, foundMs, lastError, throttle, counts } = node;
  return {
    agent,
    state,
    foundMs,
    lastError,
    throttle: throttle.summary(),
    feeds: Object.fromEntries(
      Array.from(counts, ([feed, its]) => {
        const { isOpen, lastEventMs, gaps } = its;
        return [feed, { isOpen, lastEventMs, rates: node.rates(feed), ...its.totals(), recentGaps: gaps }];
      }),
    ),
  };
}
