import type { AgentCounts } from "../agents/agent.ts";
import { feedNames } from "../agents/contract.ts";
import type { StreamEnd } from "./checker.ts";
import type { TallyReport } from "./tally.ts";

export interface Expectations {
  /** Default 0. */
  readonly allowLoss?: number;
  /** Default 0: none are needed. */
  readonly minEvents?: number;
  /** Default 0. */
  readonly minAgents?: number;
  /** Default false: a stream that ends is a failure. */
  readonly allowEnds?: boolean;
  /** What the agents say they sent: all of it must have come. Holds where one subscriber (a relay) took it from them. */
  readonly agents?: readonly AgentCounts[];
}

/** What is wrong with a report, a sentence each; nothing = all is as expected. */
export function findProblems(
  report: TallyReport & { readonly ended?: readonly StreamEnd[] },
  expectations: Expectations,
): readonly string[] {
  const { allowLoss = 0, minEvents = 0, minAgents = 0, allowEnds = false, agents = [] } = expectations;
  const problems: string[] = [];
  if (report.events < minEvents) problems.push(`${report.events} events came, must be ${minEvents} or more`);
  if (report.agents < minAgents) problems.push(`${report.agents} agents were heard of, must be ${minAgents} or more`);
  if (report.lost > allowLoss) problems.push(`${report.lost} events were lost, must be ${allowLoss} or fewer`);
  if (report.duplicates > 0) problems.push(`${report.duplicates} events came more than once`);
  if (report.reordered > 0) problems.push(`${report.reordered} events came out of order`);
  if (report.garbage > 0) problems.push(`${report.garbage} events were garbage`);
  const { ended = [] } = report;
  if (!allowEnds)
    for (const end of ended) problems.push(`the stream of ${end.feed} ended with ${end.code}: ${end.details}`);
  const missing = countMissing(report, agents);
  if (missing > allowLoss)
    problems.push(`${missing} events that agents sent did not come, must be ${allowLoss} or fewer`);
  return problems;
}

/** Events agents sent and nobody got, those before the first and after the last that came included. */
export function countMissing(report: TallyReport, agents: readonly AgentCounts[]): number {
  const received = new Map(report.sequences.map((counts) => [keyOf(counts), counts.received]));
  let missing = 0;
  for (const { agent, epoch, feeds } of agents.flatMap(({ lives }) => lives)) {
    for (const feed of feedNames) {
      // Never below 0: several subscribers at an agent make `sent` count an event more than once.
      missing += Math.max(0, feeds[feed].sent - (received.get(keyOf({ agent, epoch, feed })) ?? 0));
    }
  }
  return missing;
}

function keyOf(counts: { readonly agent: string; readonly epoch: string; readonly feed: string }): string {
  return `${counts.agent}/${counts.epoch}/${counts.feed}`;
}
