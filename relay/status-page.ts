import { feeds } from "./feeds.ts";
import type { MetricSources } from "./metrics.ts";
import type { Node } from "./nodes/node.ts";

/** What `GET /statusz` shows: who is connected, how it goes, what was lost. For people and for support bundles. */
export function statusPage(sources: MetricSources): unknown {
  const { version, hub, nodes, subscriptions, stdout } = sources;
  return {
    version,
    feeds: Object.fromEntries(
      feeds.map(({ id }) => [
        id,
        {
          ...hub.totals(id),
          subscribers: subscriptions.totals(id),
          stdout: stdout.counts(id),
          agents: nodes.totals(id),
        },
      ]),
    ),
    watches: sources
      .watches()
      .map(({ state }) => (state.kind === "failing" ? { kind: state.reason, error: state.error.message } : state)),
    settingsErrors: sources.settingsErrors(),
    nodes: nodes.nodes.map(nodeStatus),
    subscribers: subscriptions.list(),
  };
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
        return [feed, { isOpen, ...its.totals(), lastEventMs, rates: node.rates(feed), recentGaps: gaps }];
      }),
    ),
  };
}
