import { feedIds, type MetricGroup, perFeed, perFeedAnd, perKey, single } from "./metric.ts";
import { streamEndReasons } from "./stream-end.ts";
import { hops } from "./unaccounted.ts";

const agentStates = ["connecting", "connected", "waiting"] as const;

/** From the agents to the hub. */
export const flowMetrics: MetricGroup = {
  title: "Agents and the events they sent",
  metrics: [
    {
      name: "kubearmor_relay_agents",
      type: "gauge",
      labels: { state: agentStates },
      help: "Agents known, by the state of their connection. Worry when some stay in waiting: /statusz names them and the error.",
      samples: perKey("state", ({ sources }) => {
        const kinds = sources.nodes.nodes.map(({ state }) => state.kind);
        return agentStates.map((state) => [state, kinds.filter((kind) => kind === state).length] as const);
      }),
    },
    {
      name: "kubearmor_relay_received_events_total",
      type: "counter",
      labels: { feed: feedIds },
      help: "Events that agents sent. Worry when alerts or logs stand still while agents are connected and workloads run.",
      samples: perFeed(({ hub }) => hub.received),
    },
    {
      name: "kubearmor_relay_received_bytes_total",
      type: "counter",
      labels: { feed: feedIds },
      help: "Bytes of events that agents sent, framing included.",
      samples: perFeed(({ nodes }) => nodes.bytes),
    },
    {
      name: "kubearmor_relay_unclaimed_events_total",
      type: "counter",
      labels: { feed: feedIds },
      help: "Events received while neither a subscriber nor stdout wanted their feed. Worry when somebody should be listening.",
      samples: perFeed(({ hub }) => hub.unclaimed),
    },
    {
      name: "kubearmor_relay_gathered_events",
      type: "gauge",
      labels: { feed: feedIds },
      help: "Events received and about to be handed to consumers: a few milliseconds' worth.",
      samples: perFeed(({ hub }) => hub.gathered),
    },
    {
      name: "kubearmor_relay_handed_events_total",
      type: "counter",
      labels: { feed: feedIds },
      help: "Events handed to the consumers of their feed, counted once however many there are.",
      samples: perFeed(({ hub }) => hub.handed),
    },
    {
      name: "kubearmor_relay_unaccounted_events",
      type: "gauge",
      labels: { feed: feedIds, hop: hops },
      help: "Events that a hop took and that are in none of its counters: 0 at any instant. Anything else is a bug of the relay, please report it; below 0 means counted twice.",
      samples: perFeedAnd("hop", ({ unaccounted }) => unaccounted),
    },
    {
      name: "kubearmor_relay_open_streams",
      type: "gauge",
      labels: { feed: feedIds },
      help: "Agents whose stream of the feed is open. Worry when it stays below kubearmor_relay_agents, messages of old agents aside.",
      samples: perFeed(({ openStreams }) => openStreams),
    },
    {
      name: "kubearmor_relay_stream_openings_total",
      type: "counter",
      labels: { feed: feedIds },
      help: "Times that a stream of an agent was taken for open: one for each agent, and one for each time it came back.",
      samples: perFeed(({ nodes }) => nodes.openings),
    },
    {
      name: "kubearmor_relay_stream_breaks_total",
      type: "counter",
      labels: { feed: feedIds },
      help: "Streams of agents that were open and ended unasked: what an agent had queued for one is lost with it. Worry when it grows while no agent restarts.",
      samples: perFeed(({ nodes }) => nodes.breaks),
    },
    {
      name: "kubearmor_relay_stream_ends_total",
      type: "counter",
      labels: { feed: feedIds, reason: streamEndReasons },
      help: "Streams of agents that ended unasked, open or not, by reason: status (the agent ended it), refused (it does not serve it), reset, connection-lost, or bytes that cannot be read on: compressed, too-large (an event over 4 MiB), truncated.",
      samples: perFeedAnd("reason", ({ nodes }) => nodes.ends),
    },
    {
      name: "kubearmor_relay_stream_gaps_total",
      type: "counter",
      labels: { feed: feedIds },
      help: "Times in which an agent's stream was not open after it had been: what the agent saw in them is lost and unknowable. /statusz lists them.",
      samples: perFeed(({ nodes }) => nodes.gaps.count),
    },
    {
      name: "kubearmor_relay_stream_gap_seconds_total",
      type: "counter",
      labels: { feed: feedIds },
      help: "Length of all gaps, those that go on included: each agent's adds up. Worry when it grows by seconds in each second.",
      samples: perFeed(({ nodes }) => nodes.gaps.durationMs / 1_000),
    },
    {
      name: "kubearmor_relay_throttle_notices_total",
      type: "counter",
      labels: {},
      help: "Alerts by which agents say that they drop a container's alerts (SystemEvent/AlertThreshold): those were lost before the relay. Worry when it grows: raise the agents' maxAlertPerSec or quieten the workload.",
      samples: single(({ sources }) => sources.nodes.throttleNotices),
    },
  ],
};
