/** relay/ledger's table of metrics -> docs/metrics.md. `--check` writes nothing and fails when it differs. */
import type { Metric, MetricGroup } from "../../relay/ledger/metric.ts";
import { metricGroups } from "../../relay/ledger/metric-groups.ts";
import { writeGenerated } from "./output.ts";

const lines = [
  "<!-- Generated from relay/ledger/*-metrics.ts by hack/generate/metrics-doc.ts. Do not edit. -->",
  "",
  "# Metrics of the relay",
  "",
  "`GET /metrics` on the HTTP port, in Prometheus' text format. All of the relay's own are read at one instant, so that they can be",
  "compared with each other. Counters never go back while the process lives, whoever leaves; a node's own series end with its agent.",
  "Beside them stand `process_*` and `nodejs_*`: CPU, memory, open files, garbage collection and",
  "`nodejs_eventloop_lag_*_seconds` (worry when p99 stays over 0.1), over the time since the last scrape.",
  "",
  "What came in is accounted for at every hop, at any instant, for each feed:",
  "",
  "- events cut from the streams of all nodes there ever were = `kubearmor_relay_received_events_total`",
  "- `kubearmor_relay_received_events_total` = `kubearmor_relay_unclaimed_events_total` + `kubearmor_relay_gathered_events` +",
  "  `kubearmor_relay_handed_events_total`",
  "- `kubearmor_relay_subscriber_expected_events_total` = all outcomes of `kubearmor_relay_subscriber_events_total` +",
  "  `kubearmor_relay_subscriber_queued_events`, and the same for `stdout`",
  "",
  "`kubearmor_relay_unaccounted_events` is the difference of each. Lost before the relay is what agents throttled",
  "(`kubearmor_relay_throttle_notices_total`), what they dropped because their own queue was full (they do not say), and what happened in",
  "gaps (`kubearmor_relay_stream_gap_seconds_total`).",
  ...metricGroups.flatMap(group),
];
const files = [{ path: new URL("../../docs/metrics.md", import.meta.url), text: `${lines.join("\n")}\n` }];
process.exitCode = await writeGenerated(files, process.argv.slice(2));

function group({ title, about, metrics }: MetricGroup): readonly string[] {
  const intro = about === undefined ? [] : ["", ...about];
  return [
    "",
    `## ${title}`,
    ...intro,
    "",
    "| metric | type | labels | meaning |",
    "|---|---|---|---|",
    ...metrics.map(row),
  ];
}

function row({ name, type, labels, help }: Metric): string {
  const texts = Object.entries(labels).map(
    ([label, values]) =>
      `\`${label}\`: ${typeof values === "string" ? values : values.map((value) => `\`${value}\``).join(", ")}`,
  );
  return `| \`${name}\` | ${type} | ${texts.join("; ")} | ${help} |`;
}
