/**
 * The streams an agent serves and the relay serves again. A table, not code: upstream is about to add a fourth.
 * Source: the public contract of KubeArmor's `feeder.LogService` (proto/kubearmor.proto).
 */
export interface Feed {
  readonly id: FeedId;
  /** The gRPC method, on agents and on the relay. */
  readonly path: string;
  /** The filter sent to agents. */
  readonly agentFilter: string;
  /** Filters a subscriber may send; undefined = any. Another one ends the stream at once with status OK. */
  readonly acceptedFilters: ReadonlySet<string> | undefined;
}

export type FeedId = "alerts" | "logs" | "messages";

export const feeds: readonly Feed[] = [
  {
    id: "alerts",
    path: "/feeder.LogService/WatchAlerts",
    agentFilter: "policy",
    acceptedFilters: new Set(["all", "policy"]),
  },
  {
    id: "logs",
    path: "/feeder.LogService/WatchLogs",
    agentFilter: "system",
    acceptedFilters: new Set(["all", "system"]),
  },
  { id: "messages", path: "/feeder.LogService/WatchMessages", agentFilter: "all", acceptedFilters: undefined },
];
