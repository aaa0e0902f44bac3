import type { WatchState } from "../../lib/kube/types.ts";
import type { EnrichCounts } from "../enrich/enricher.ts";
import type { HostWatchState } from "../enrich/watch-hosts.ts";
import type { FeedId } from "../feeds.ts";
import type { Hub } from "../hub/hub.ts";
import type { NodePool } from "../nodes/node-pool.ts";
import type { ServerCounts } from "../server/server.ts";
import type { Subscriptions } from "../server/watch.ts";
import type { StdoutSink } from "../sinks/stdout.ts";
import type { ReportStatus } from "../report/reporter.ts";
import type { EventLoopDelay } from "./event-loop-delay.ts";

/** Where metrics and the status page read. What is optional is left out of them when it is not there. */
export interface MetricSources {
  readonly version: string;
  readonly hub: Pick<Hub, "totals" | "budget">;
  readonly nodes: Pick<NodePool, "nodes" | "totals" | "throttleNotices">;
  readonly subscriptions: Pick<Subscriptions, "list" | "totals">;
  readonly stdout: Pick<StdoutSink, "counts" | "queuedBytes">;
  /** What stdout must have been offered, as the hub says; without it that cannot be checked. */
  readonly stdoutExpected?: (feed: FeedId) => number;
  /** Whether this replica prints: undefined when it is not one of several. */
  readonly stdoutLeader?: () => StdoutLeader | undefined;
  readonly watches: () => readonly { readonly namespace?: string | undefined; readonly state: WatchState }[];
  /** Ends of list-watches by reason. */
  readonly watchRestarts?: () => Iterable<readonly [reason: string, count: number]>;
  readonly settingsErrors: () => readonly string[];
  readonly settingsHash?: () => string;
  /** Undefined when it reports to nobody. */
  readonly report?: () => ReportStatus | undefined;
  readonly enrichment?: (feed: FeedId) => Readonly<EnrichCounts>;
  /** Of those who may be the peers of connections: none while they are not named. */
  readonly hostWatches?: () => readonly HostWatchState[];
  /** Those that have an address. */
  readonly hosts?: () => number;
  /** Undefined until it listens, as the ports. */
  readonly server?: () => ServerCounts | undefined;
  readonly ports?: () => Readonly<Record<string, number>> | undefined;
  readonly eventLoop?: Pick<EventLoopDelay, "summary">;
}

/** Of several replicas one prints. Counts are of all changes of turns, in events of each feed. */
export interface StdoutLeader {
  /** Whether this one does. */
  readonly isLeader: boolean;
  /** Who does, if somebody is known to. */
  readonly holder: string | undefined;
  /** Times that it became this one's turn. */
  readonly terms: number;
  /** Printed by this one, and perhaps by the one before it, too. */
  readonly repeated: Readonly<Record<FeedId, number>>;
  /** Perhaps printed by nobody. */
  readonly missing: Readonly<Record<FeedId, number>>;
}
