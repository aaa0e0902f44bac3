import { consumerMetrics } from "./consumer-metrics.ts";
import { flowMetrics } from "./flow-metrics.ts";
import type { MetricGroup } from "./metric.ts";
import { nodeMetrics } from "./node-metrics.ts";
import { relayMetrics } from "./relay-metrics.ts";

/** All of the relay's own metrics, in the order in which they are shown. */
export const metricGroups: readonly MetricGroup[] = [flowMetrics, nodeMetrics, consumerMetrics, relayMetrics];
