import type { SubscriptionReport } from "./subscriber.ts";

/** What one subscriber went without. */
export interface ServiceRecord {
  /** Events within a stream that are missing, or could not be read: there is no reason for any. */
  readonly lostInStreams: number;
  /** For each agent and each time a stream had ended: events produced until the next stream brought that agent's again. */
  readonly missed: readonly number[];
  readonly ends: readonly string[];
  readonly failures: readonly string[];
  readonly awayMs: readonly number[];
}

/**
 * A relay sends what comes in while a client is subscribed, and keeps nothing for those who come back: between two streams
 * events are missed, as many as the agents made meanwhile. An event that came twice is no loss.
 */
export function serviceRecord(reports: readonly SubscriptionReport[]): ServiceRecord {
  const missed: number[] = [];
  const lastOf = new Map<string, number>();
  for (const { sequences } of reports) {
    for (const { agent, epoch, first, last } of sequences) {
      const life = `${agent}/${epoch}`;
      const before = lastOf.get(life);
      if (before !== undefined) missed.push(Math.max(0, first - before - 1));
      lastOf.set(life, Math.max(last, before ?? 0));
    }
  }
  return {
    lostInStreams: reports.reduce((sum, { lost, garbage }) => sum + lost + garbage, 0),
    missed,
    ends: reports.flatMap(({ end }) => end ?? []),
    failures: reports.flatMap(({ failures }) => failures),
    awayMs: reports.slice(1).map(({ awayMs }) => awayMs),
  };
}
