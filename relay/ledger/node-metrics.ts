import { feedIds, type Metric, type MetricGroup, type Scrape } from "./metric.ts";
import type { FeedSeries } from "./node-series.ts";

/** Names that get series of their own; what is beyond them is summed. */
export const maxNodeSeries = 1_000;

const node = "a name";
const perNodeAndFeed =
  (value: (series: FeedSeries) => number): Metric["samples"] =>
  ({ nodes }: Scrape, emit) => {
    for (const { feeds } of nodes) for (const series of feeds) emit(series.labels, value(series));
  };

/** Each agent's share. */
export const nodeMetrics: MetricGroup = {
  title: "Each node",
  about: [
    `The label \`node\` is the Kubernetes node of an agent, else its pod or its address. The first ${maxNodeSeries.toLocaleString("en")} names have series of`,
    "their own, each for as long as an agent of that name is known; those that come later are summed as `_other` for as long as they",
    "stay. When an agent's pod is replaced, its node's counters go on.",
  ],
  metrics: [
    {
      name: "kubearmor_relay_node_connected",
      type: "gauge",
      labels: { node },
      help: "Agents of the node that are connected: 1, or 0 while its events are missing.",
      samples: ({ nodes }, emit) => {
        for (const { labels, connected } of nodes) emit(labels, connected);
      },
    },
    {
      name: "kubearmor_relay_node_open_streams",
      type: "gauge",
      labels: { node, feed: feedIds },
      help: "Streams of the feed that are open to the node's agent: 1, or 0 while its events are missing.",
      samples: perNodeAndFeed(({ openStreams }) => openStreams),
    },
    {
      name: "kubearmor_relay_node_received_events_total",
      type: "counter",
      labels: { node, feed: feedIds },
      help: "Events that the node's agent sent. Worry when one node stands still and the others do not.",
      samples: perNodeAndFeed(({ events }) => events),
    },
    {
      name: "kubearmor_relay_node_received_bytes_total",
      type: "counter",
      labels: { node, feed: feedIds },
      help: "Bytes of events that the node's agent sent, framing included.",
      samples: perNodeAndFeed(({ bytes }) => bytes),
    },
    {
      name: "kubearmor_relay_node_last_event_timestamp_seconds",
      type: "gauge",
      labels: { node, feed: feedIds },
      help: "When the last event of the node came, since 1970; no series before the first.",
      samples: ({ nodes }, emit) => {
        for (const { feeds } of nodes)
          for (const { labels, lastEventMs } of feeds) if (lastEventMs > 0) emit(labels, lastEventMs / 1_000);
      },
    },
    {
      name: "kubearmor_relay_node_stream_gaps_total",
      type: "counter",
      labels: { node, feed: feedIds },
      help: "Times in which the stream to the node's agent was not open after it had been. Worry when one node has many: its network or its agent is ill.",
      samples: perNodeAndFeed(({ gaps }) => gaps),
    },
    {
      name: "kubearmor_relay_node_stream_gap_seconds_total",
      type: "counter",
      labels: { node, feed: feedIds },
      help: "Length of the node's gaps, the one that goes on included.",
      samples: perNodeAndFeed(({ gapSeconds }) => gapSeconds),
    },
    {
      name: "kubearmor_relay_node_throttle_notices_total",
      type: "counter",
      labels: { node },
      help: "Times that the node's agent said that it drops a container's alerts; /statusz shows the last container.",
      samples: ({ nodes }, emit) => {
        for (const { labels, notices } of nodes) emit(labels, notices);
      },
    },
  ],
};
