import { type Registry, collectDefaultMetrics } from "prom-client";

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

/** Memory, CPU time, event loop and garbage collection of the process. */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of rejected) registry.removeSingleMetric(name);
}
