import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { WatchState } from "../lib/kube/types.ts";
import { type FeedId, feeds } from "./feeds.ts";
import type { Hub } from "./hub/hub.ts";
import type { NodePool } from "./nodes/node-pool.ts";
import type { Subscriptions } from "./server/watch.ts";
import type { StdoutSink } from "./sinks/stdout.ts";

export interface MetricSources {
  readonly version: string;
  readonly hub: Hub;
  readonly nodes: NodePool;
  readonly subscriptions: Subscriptions;
  readonly stdout: StdoutSink;
  readonly watches: () => readonly { readonly state: WatchState }[];
  readonly settingsErrors: () => readonly string[];
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

/**
 * Everything the relay counts, read when it is asked for: the hot path adds to plain numbers only.
 * Names: https://prometheus.io/docs/practices/naming/
 */
export function createMetrics(sources: MetricSources): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { hub, nodes, subscriptions, stdout } = sources;
  const counter = (name: string, help: string, labelNames: readonly string[], samples: () => Iterable<Sample>) =>
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      collect() {
        this.reset();
        for (const [labels, value] of samples()) this.inc(labels, value);
      },
    });
  const gauge = (name: string, help: string, labelNames: readonly string[], samples: () => Iterable<Sample>) =>
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      collect() {
        this.reset();
        for (const [labels, value] of samples()) this.set(labels, value);
      },
    });

  gauge("kubearmor_relay_build_info", "Always 1; the version is in the label", ["version"], () => [
    [{ version: sources.version }, 1],
  ]);
  counter("kubearmor_relay_received_events_total", "Events that agents sent", ["feed"], () =>
    perFeed((feed) => hub.totals(feed).received),
  );
  counter("kubearmor_relay_received_bytes_total", "Bytes of events that agents sent, framing included", ["feed"], () =>
    perFeed((feed) => nodes.totals(feed).bytes),
  );
  counter("kubearmor_relay_unclaimed_events_total", "Events received while nobody wanted their feed", ["feed"], () =>
    perFeed((feed) => hub.totals(feed).unclaimed),
  );
  counter(
    "kubearmor_relay_stream_breaks_total",
    "Streams of agents that ended unasked: what an agent queued for one is lost with it",
    ["feed"],
    () => perFeed((feed) => nodes.totals(feed).breaks),
  );
  gauge("kubearmor_relay_agents", "Agents known, by the state of their connection", ["state"], () =>
    agentStates(nodes),
  );
  gauge("kubearmor_relay_subscribers", "Streams being served", ["feed"], () =>
    perFeed((feed) => subscriptions.list().filter((subscription) => subscription.feed === feed).length),
  );
  counter(
    "kubearmor_relay_subscriber_events_total",
    "Events offered to subscribers, by what became of them: delivered, overflowed (mailbox full) or disconnected (client went away)",
    ["feed", "outcome"],
    () =>
      perOutcome((feed) => {
        const { delivered, overflowed, disconnected } = subscriptions.totals(feed);
        return { delivered, overflowed, disconnected };
      }),
  );
  gauge("kubearmor_relay_subscriber_queued_events", "Events waiting for subscribers", ["feed"], () =>
    perFeed((feed) => subscriptions.totals(feed).queued),
  );
  counter(
    "kubearmor_relay_stdout_events_total",
    "Events offered to stdout, by what became of them: printed, unreadable (no protobuf message), full (stdout is too slow), closed or shutdown",
    ["feed", "outcome"],
    () =>
      perOutcome((feed) => {
        const { printed, unreadable, droppedBy } = stdout.counts(feed);
        return { printed, unreadable, ...droppedBy };
      }),
  );
  gauge("kubearmor_relay_stdout_queued_events", "Events waiting to be printed", ["feed"], () =>
    perFeed((feed) => stdout.counts(feed).queued),
  );
  gauge(
    "kubearmor_relay_discovery_watches",
    "Watches of agent pods, by their state or the reason they fail",
    ["state"],
    () => tally(sources.watches().map(({ state }) => (state.kind === "failing" ? state.reason : state.kind))),
  );
  gauge(
    "kubearmor_relay_settings_errors",
    "Problems in the newest settings; the last good ones are in force",
    [],
    () => [[{}, sources.settingsErrors().length]],
  );
  return registry;
}

function perFeed(value: (feed: FeedId) => number): readonly Sample[] {
  return feeds.map(({ id }) => [{ feed: id }, value(id)]);
}

function perOutcome(counts: (feed: FeedId) => Readonly<Record<string, number>>): readonly Sample[] {
  return feeds.flatMap(({ id }) =>
    Object.entries(counts(id)).map(([outcome, value]): Sample => [{ feed: id, outcome }, value]),
  );
}

function agentStates(nodes: NodePool): readonly Sample[] {
  const none = ["connecting", "connected", "waiting"].map((state): Sample => [{ state }, 0]);
  return [...none, ...tally(nodes.nodes.map(({ state }) => state.kind))];
}

function tally(states: readonly string[]): readonly Sample[] {
  return Array.from(
    Map.groupBy(states, (state) => state),
    ([state, members]): Sample => [{ state }, members.length],
  );
}
