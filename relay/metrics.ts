import { collectDefaultMetrics, Registry } from "prom-client";
import { Exposition } from "./ledger/exposition.ts";
import { metricGroups } from "./ledger/metric-groups.ts";
import { maxNodeSeries } from "./ledger/node-metrics.ts";
import { NodeSeries } from "./ledger/node-series.ts";
import { takeSnapshot } from "./ledger/snapshot.ts";
import type { MetricSources } from "./ledger/sources.ts";

export type { MetricSources } from "./ledger/sources.ts";

/**
 * Defaults of prom-client that go: totals that are no counters, which linters reject, and lists of handles and requests,
 * which take a walk over every socket.
 */
const rejected = [
  "nodejs_active_handles",
  "nodejs_active_handles_total",
  "nodejs_active_requests",
  "nodejs_active_requests_total",
  "nodejs_active_resources_total",
];

/** Everything the relay counts, read when it is asked for: the hot path adds to plain numbers only. */
export function createMetrics(sources: MetricSources): Registry {
  const registry = new LedgerRegistry(sources);
  collectDefaultMetrics({ register: registry });
  for (const name of rejected) registry.removeSingleMetric(name);
  return registry;
}

/** The process's metrics as prom-client collects them, behind the relay's own, which are written straight from its counters. */
class LedgerRegistry extends Registry {
  readonly #sources: MetricSources;
  readonly #series = new NodeSeries({ maxNodes: maxNodeSeries });

  constructor(sources: MetricSources) {
    super();
    this.#sources = sources;
  }

  override async metrics(): Promise<string> {
    return writeLedger(this.#sources, this.#series) + (await super.metrics());
  }
}

/** The relay's own metrics, all of one instant. */
function writeLedger(sources: MetricSources, series: NodeSeries): string {
  const scrape = { sources, feeds: takeSnapshot(sources), nodes: series.samples(sources.nodes.nodes) };
  const exposition = new Exposition();
  for (const { metrics } of metricGroups)
    for (const metric of metrics) exposition.add(metric, (emit) => metric.samples(scrape, emit));
  return exposition.toString();
}
