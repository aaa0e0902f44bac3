import type { WatchState } from "../../lib/kube/types.ts";
import { feeds } from "../feeds.ts";
import { reportOutcomes } from "../report/reporter.ts";
import { labelText } from "./exposition.ts";
import { feedIds, type MetricGroup, perKey, single } from "./metric.ts";

/** Counts of enrichment, as labels name them. */
const enrichOutcomes = {
  host_added: "hostAdded",
  host_unknown: "hostUnknown",
  host_present: "hostPresent",
  cluster_name_added: "clusterNameAdded",
  unreadable: "unreadable",
  too_large: "tooLarge",
} as const;

/** The relay itself, and what it is told. */
export const relayMetrics: MetricGroup = {
  title: "The relay itself",
  metrics: [
    {
      name: "kubearmor_relay_build_info",
      type: "gauge",
      labels: { version: "the relay's" },
      help: "Always 1; the version is in the label.",
      samples: perKey("version", ({ sources }) => [[sources.version, 1]]),
    },
    {
      name: "kubearmor_relay_settings_errors",
      type: "gauge",
      labels: {},
      help: "Problems in the newest settings. Worry when it is not 0: the last good ones are in force.",
      samples: single(({ sources }) => sources.settingsErrors().length),
    },
    {
      name: "kubearmor_relay_reports_total",
      type: "counter",
      labels: { outcome: reportOutcomes },
      help: "Reports to the status of the KubeArmorRelay: applied, gone (there is no such KubeArmorRelay), forbidden (by RBAC), refused (the CRD is older than the relay), unreachable. Worry when others than applied grow: events are not affected, but the status is old.",
      samples: perKey("outcome", ({ sources }) => Object.entries(sources.report?.()?.counts ?? {})),
    },
    {
      name: "kubearmor_relay_discovery_watches",
      type: "gauge",
      labels: {
        state:
          "`starting`, `synced`, or why it fails: `forbidden`, `unauthorized`, `expired`, `unreachable`, `server-error`, `malformed`",
      },
      help: "Watches of agents' pods, by their state. Worry when any is not synced: agents may be missing.",
      samples: perKey("state", ({ sources }) => tally(sources.watches().map(({ state }) => wordOf(state)))),
    },
    {
      name: "kubearmor_relay_watch_restarts_total",
      type: "counter",
      labels: { reason: "`timeout` and `closed` are the API server's routine; the others as the states above" },
      help: "Ends of watches of the Kubernetes API, each begun again. Worry when reasons other than timeout and closed grow.",
      samples: perKey("reason", ({ sources }) => sources.watchRestarts?.() ?? []),
    },
    {
      name: "kubearmor_relay_enrichment_watches",
      type: "gauge",
      labels: { resource: ["pods", "services"], state: "as of `kubearmor_relay_discovery_watches`" },
      help: "Watches of those who may be peers of connections, while they are named (enrichment.remoteHost). Worry when any is not synced for long: events then come without names.",
      samples: ({ sources: { hostWatches } }, emit) => {
        for (const { resource, state } of hostWatches?.() ?? []) emit(labelText({ resource, state: wordOf(state) }), 1);
      },
    },
    {
      name: "kubearmor_relay_enrichment_hosts",
      type: "gauge",
      labels: {},
      help: "Pods and services that have an address, and so can be named.",
      samples: single(({ sources }) => sources.hosts?.()),
    },
    {
      name: "kubearmor_relay_enriched_events_total",
      type: "counter",
      labels: { feed: feedIds, outcome: Object.keys(enrichOutcomes) },
      help: "Events that something was to be added to: host_added (remotehost), host_unknown (the peer is no pod or service), host_present, cluster_name_added, unreadable and too_large (left as they were).",
      samples: ({ sources: { enrichment } }, emit) => {
        if (enrichment === undefined) return;
        for (const { id } of feeds) {
          const counts = enrichment(id);
          for (const [outcome, key] of Object.entries(enrichOutcomes))
            emit(labelText({ feed: id, outcome }), counts[key]);
        }
      },
    },
  ],
};

function wordOf(state: WatchState): string {
  return state.kind === "failing" ? state.reason : state.kind;
}

function tally(words: readonly string[]): readonly (readonly [string, number])[] {
  return Array.from(
    Map.groupBy(words, (word) => word),
    ([word, members]) => [word, members.length] as const,
  );
}
