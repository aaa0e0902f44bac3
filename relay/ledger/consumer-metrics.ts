import { dropReasons } from "../hub/counts.ts";
import type { FeedSnapshot } from "./snapshot.ts";
import { labelText } from "./exposition.ts";
import { feedIds, type Metric, type MetricGroup, perFeed, perFeedAnd, perKey, single } from "./metric.ts";

const drops =
  "mailbox (its own was full: too slow), budget (the relay's memory for events was full), disconnected, shutdown";

/** From the hub to those who get the events. */
export const consumerMetrics: MetricGroup = {
  title: "Subscribers and stdout",
  metrics: [
    {
      name: "kubearmor_relay_subscribers",
      type: "gauge",
      labels: { feed: feedIds },
      help: "Streams being served to clients.",
      samples: perFeed(({ subscriptions }) => subscriptions.length),
    },
    {
      name: "kubearmor_relay_subscriber_expected_events_total",
      type: "counter",
      labels: { feed: feedIds },
      help: "Events that subscribers must have been offered, by the hub's count: at any instant the sum of all outcomes and of what is queued.",
      samples: perFeed(({ subscribers }) => subscribers.expected),
    },
    {
      name: "kubearmor_relay_subscriber_events_total",
      type: "counter",
      labels: { feed: feedIds, outcome: ["delivered", "filtered", ...dropReasons] },
      help: `Events offered to subscribers, by what became of them: delivered (to the operating system), filtered (not asked for), or dropped: ${drops}. Worry when mailbox or budget grow.`,
      samples: perFeedAnd("outcome", ({ subscribers: { delivered, filtered, dropped } }) => ({
        delivered,
        filtered,
        ...dropped,
      })),
    },
    {
      name: "kubearmor_relay_subscriber_queued_events",
      type: "gauge",
      labels: { feed: feedIds },
      help: "Events waiting for subscribers. Worry when it grows: one reads more slowly than events come.",
      samples: perFeed(({ subscribers }) => subscribers.queued),
    },
    {
      name: "kubearmor_relay_subscriber_queued_bytes",
      type: "gauge",
      labels: { feed: feedIds },
      help: "Bytes waiting for subscribers; those that share an event share its memory, see kubearmor_relay_buffer_bytes.",
      samples: perFeed(({ subscriptions }) => subscriptions.reduce((sum, { queuedBytes }) => sum + queuedBytes, 0)),
    },
    {
      name: "kubearmor_relay_subscriber_lag_seconds",
      type: "gauge",
      labels: { feed: feedIds },
      help: "Age of the oldest event that a subscriber has not been sent yet, of the slowest one. Worry over 1.",
      samples: perFeed(worstLagSeconds),
    },
    {
      name: "kubearmor_relay_stdout_expected_events_total",
      type: "counter",
      labels: { feed: feedIds },
      help: "Events that stdout must have been offered, by the hub's count: at any instant the sum of all outcomes and of what is queued.",
      samples: perFeed(({ stdout }) => stdout.expected),
    },
    {
      name: "kubearmor_relay_stdout_events_total",
      type: "counter",
      labels: { feed: feedIds, outcome: ["printed", "unreadable", "filtered", ...dropReasons] },
      help: `Events offered to stdout, by what became of them: printed, unreadable (no protobuf message), filtered (another replica printed them), or dropped: ${drops}. Worry when mailbox grows: whoever reads stdout is too slow.`,
      samples: perFeedAnd("outcome", ({ stdout: { delivered, unreadable, filtered, dropped } }) => ({
        printed: delivered,
        unreadable,
        filtered,
        ...dropped,
      })),
    },
    {
      name: "kubearmor_relay_stdout_queued_events",
      type: "gauge",
      labels: { feed: feedIds },
      help: "Events waiting to be printed; on a replica that does not print, those kept in case it must. Worry when it grows.",
      samples: perFeed(({ stdout }) => stdout.queued),
    },
    {
      name: "kubearmor_relay_stdout_queued_bytes",
      type: "gauge",
      labels: {},
      help: "Bytes of events waiting to be printed.",
      samples: single(({ sources }) => sources.stdout.queuedBytes),
    },
    {
      name: "kubearmor_relay_stdout_leader",
      type: "gauge",
      labels: {},
      help: "With several replicas: 1 on the one that prints, 0 on the others. Worry when the sum over replicas is not 1 for long.",
      samples: single(({ sources }) => {
        const leader = sources.stdoutLeader?.();
        return leader === undefined ? undefined : Number(leader.isLeader);
      }),
    },
    {
      name: "kubearmor_relay_stdout_terms_total",
      type: "counter",
      labels: {},
      help: "With several replicas: times that it became this one's turn to print. Worry when it grows often.",
      samples: single(({ sources }) => sources.stdoutLeader?.()?.terms),
    },
    {
      name: "kubearmor_relay_stdout_repeated_events_total",
      type: "counter",
      labels: { feed: feedIds },
      help: "Events that this replica printed in its turns and that another may have printed, too: an upper bound.",
      samples: perLeaderFeed("repeated"),
    },
    {
      name: "kubearmor_relay_stdout_missing_events_total",
      type: "counter",
      labels: { feed: feedIds },
      help: "Events between two turns that perhaps nobody printed, of those that this replica received: an upper bound. Worry when it grows.",
      samples: perLeaderFeed("missing"),
    },
    {
      name: "kubearmor_relay_buffer_bytes",
      type: "gauge",
      labels: {},
      help: "Memory of all events held, for whomever they wait. Worry when it stays near kubearmor_relay_buffer_limit_bytes: then the oldest are dropped (outcome budget).",
      samples: single(({ sources }) => sources.hub.budget.usedBytes),
    },
    {
      name: "kubearmor_relay_buffer_limit_bytes",
      type: "gauge",
      labels: {},
      help: "What that memory may be (setting limits.bufferBytes).",
      samples: single(({ sources }) => sources.hub.budget.maxBytes),
    },
    {
      name: "kubearmor_relay_client_connections",
      type: "gauge",
      labels: {},
      help: "Connections of clients.",
      samples: single(({ sources }) => sources.server?.()?.connections.open),
    },
    {
      name: "kubearmor_relay_client_connections_ended_total",
      type: "counter",
      labels: {
        reason:
          "`client` (it went away) or `drained`; a worry: `silent` (no answer to pings), `limit` (too many at once), `protocol`, `handshake`, `pings`, `resets`, `settings`, `bytes` (too much of that)",
      },
      help: "Connections of clients that ended, by reason.",
      samples: perKey("reason", ({ sources }) => Object.entries(sources.server?.()?.connections.ended ?? {})),
    },
    {
      name: "kubearmor_relay_client_calls",
      type: "gauge",
      labels: {},
      help: "Calls that are open, of any method.",
      samples: single(({ sources }) => sources.server?.()?.calls),
    },
  ],
};

function worstLagSeconds({ subscriptions }: FeedSnapshot): number {
  return subscriptions.reduce((worst, { lag }) => Math.max(worst, lag.nowMs), 0) / 1_000;
}

function perLeaderFeed(count: "repeated" | "missing"): Metric["samples"] {
  return ({ sources }, emit) => {
    const leader = sources.stdoutLeader?.();
    if (leader === undefined) return;
    for (const id of feedIds) emit(labelText({ feed: id }), leader[count][id]);
  };
}
