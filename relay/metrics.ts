import { Registry } from "prom-client";
import { collectProcessMetrics } from "../lib/process/process-metrics.ts";
import { Exposition } from "./ledger/exposition.ts";
import { metricGroups } from "./ledger/metric-groups.ts";
import { maxNodeSeries } from "./ledger/node-metrics.ts";
import { NodeSeries } from "./ledger/node-series.ts";
import { takeSnapshot } from "./ledger/snapshot.ts";
import type { MetricSources } from "./ledger/sources.ts";

export type { MetricSources } from "./ledger/sources.ts";

/** Everything the relay counts, read when it is asked for: the hot path adds to plain numbers only. */
export function createMetrics(sources: MetricSources): Registry {
  const registry = new LedgerRegistry(sources);
  collectProcessMetrics(registry);
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
