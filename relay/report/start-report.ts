import type { KubeClient } from "../../lib/kube/types.ts";
import type { Clock, Random } from "../../lib/process/clock.ts";
import type { Log } from "../../lib/process/log.ts";
import type { ReportConfig } from "../config.ts";
import type { NamespaceState } from "../discovery/watch-agent-pods.ts";
import { feeds } from "../feeds.ts";
import type { NodePool } from "../nodes/node-pool.ts";
import type { Printing } from "../printing.ts";
import type { Subscriptions } from "../server/watch.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import { countAgents } from "./count-agents.ts";
import { lossOf, makeEntry } from "./entry.ts";
import { problemsOf } from "./problems.ts";
import { Reporter } from "./reporter.ts";

/** What the entry is read from, once a second. */
export interface ReportDeps {
  readonly version: string;
  readonly settings: Pick<LiveSettings, "textHash" | "refused">;
  readonly printing: Pick<Printing, "printed" | "isStdoutClosed" | "counts">;
  readonly nodes: Pick<NodePool, "nodes" | "totals">;
  readonly subscriptions: Pick<Subscriptions, "totals">;
  readonly discovery: () => readonly NamespaceState[];
  readonly isReady: () => boolean;
  readonly client: Pick<KubeClient, "apply">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Reports on this pod until it is disposed of. */
export function startReport({ relay, pod }: ReportConfig, deps: ReportDeps): Reporter {
  const { version, settings, printing, nodes, subscriptions, discovery, isReady } = deps;
  const agents = () => countAgents(nodes.nodes);
  const problems = (answeredSinceMs = Number.NEGATIVE_INFINITY) =>
    problemsOf({
      discovery: discovery(),
      refusedSettings: settings.refused,
      isStdoutClosed: printing.isStdoutClosed,
      answeredSinceMs,
      nowMs: deps.clock.monotonic(),
    });
  const loss = () =>
    lossOf(
      feeds.map(({ id }) => ({
        subscribers: subscriptions.totals(id),
        stdout: printing.counts(id),
        gaps: nodes.totals(id).gaps.count,
      })),
    );
  const entry = (answeredSinceMs: number) =>
    makeEntry({
      pod,
      version,
      settings: settings.textHash,
      printed: printing.printed,
      agents: agents(),
      loss: loss(),
      problems: problems(answeredSinceMs),
    });
  const isSettled = () => {
    const { seen, connected } = agents();
    return problems().length > 0 || (isReady() && connected === seen);
  };
  return new Reporter(relay, { ...deps, entry, isSettled });
}
