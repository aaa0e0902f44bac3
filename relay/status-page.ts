import { feeds } from "./feeds.ts";
import type { MetricSources } from "./metrics.ts";

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
    nodes: nodes.nodes.map(({ agent, state, counts }) => ({ agent, state, feeds: Object.fromEntries(counts) })),
    subscribers: subscriptions.list(),
  };
}
