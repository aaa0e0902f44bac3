import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Clock } from "../../lib/process/clock.ts";
import type { QueueObserver } from "./queue.ts";

export type Result = "success" | "error" | "requeue_after";

export interface ControllerMetrics {
  readonly queue: QueueObserver;
  /** @returns what is to be called at the end of the reconcile that begins now. */
  begin(): (result: Result) => void;
  terminalError(): void;
  panic(): void;
  timeout(): void;
}

/**
 * Under the names and labels of controller-runtime, so that its dashboards and alerts work unchanged.
 * https://book.kubebuilder.io/reference/metrics-reference
 */
export function createControllerMetrics(
  registry: Registry,
  controller: string,
  concurrency: number,
  clock: Clock,
): ControllerMetrics {
  const registers = [registry];
  const labels = { controller };
  const queueLabels = { name: controller, controller };
  const counter = (name: string, help: string) =>
    new Counter({ name: `controller_runtime_${name}`, help, labelNames: ["controller"], registers });
  const errors = counter("reconcile_errors_total", "Reconciles that ended in an error");
  const terminal = counter("terminal_reconcile_errors_total", "Reconciles that ended in an error no retry can help");
  const panics = counter("reconcile_panics_total", "Reconciles that ended in an error of the program itself");
  const timeouts = counter("reconcile_timeouts_total", "Reconciles that did not end in time");
  const total = new Counter({
    name: "controller_runtime_reconcile_total",
    help: "Reconciles by result",
    labelNames: ["controller", "result"],
    registers,
  });
  const time = new Histogram({
    name: "controller_runtime_reconcile_time_seconds",
    help: "Duration of a reconcile",
    labelNames: ["controller"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `controller_runtime_${name}`, help, labelNames: ["controller"], registers });
  gauge("max_concurrent_reconciles", "Reconciles that may run at once").set(labels, concurrency);
  const active = gauge("active_workers", "Reconciles that run now");

  const queueNames = ["name", "controller"] as const;
  const depth = new Gauge({
    name: "workqueue_depth",
    help: "Keys ready to be reconciled",
    labelNames: queueNames,
    registers,
  });
  const adds = new Counter({ name: "workqueue_adds_total", help: "Keys added", labelNames: queueNames, registers });
  const retries = new Counter({
    name: "workqueue_retries_total",
    help: "Keys retried",
    labelNames: queueNames,
    registers,
  });
  const queueBuckets = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000];
  const waited = new Histogram({
    name: "workqueue_queue_duration_seconds",
    help: "How long a key waited to be reconciled",
    labelNames: queueNames,
    buckets: queueBuckets,
    registers,
  });
  const worked = new Histogram({
    name: "workqueue_work_duration_seconds",
    help: "How long a key was worked on",
    labelNames: queueNames,
    buckets: queueBuckets,
    registers,
  });

  const begun = new Set<{ readonly atMs: number }>();
  const running = (name: string, help: string, read: (agesMs: readonly number[]) => number) =>
    new Gauge({
      name: `workqueue_${name}`,
      help,
      labelNames: queueNames,
      registers,
      collect() {
        const agesMs = [...begun].map(({ atMs }) => clock.monotonic() - atMs);
        this.set(queueLabels, read(agesMs) / 1000);
      },
    });
  running("unfinished_work_seconds", "How long the reconciles that run now have run, in all", (agesMs) =>
    agesMs.reduce((sum, ageMs) => sum + ageMs, 0),
  );
  running("longest_running_processor_seconds", "How long the longest reconcile that runs now has run", (agesMs) =>
    Math.max(0, ...agesMs),
  );

  // A rate over a series that appears with its first error would miss that error.
  for (const each of [errors, terminal, panics, timeouts]) each.inc(labels, 0);
  for (const result of ["success", "error", "requeue_after"] satisfies Result[]) total.inc({ controller, result }, 0);
  depth.set(queueLabels, 0);
  active.set(labels, 0);

  return {
    queue: {
      added(size) {
        adds.inc(queueLabels);
        depth.set(queueLabels, size);
      },
      taken(size, waitedMs) {
        depth.set(queueLabels, size);
        waited.observe(queueLabels, waitedMs / 1000);
      },
      retried: () => retries.inc(queueLabels),
    },
    begin() {
      const start = { atMs: clock.monotonic() };
      begun.add(start);
      active.inc(labels);
      return (result) => {
        begun.delete(start);
        active.dec(labels);
        total.inc({ controller, result });
        if (result === "error") errors.inc(labels);
        const seconds = (clock.monotonic() - start.atMs) / 1000;
        time.observe(labels, seconds);
        worked.observe(queueLabels, seconds);
      };
    },
    terminalError: () => terminal.inc(labels),
    panic: () => panics.inc(labels),
    timeout: () => timeouts.inc(labels),
  };
}
