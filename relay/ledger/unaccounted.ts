import { type ConsumerLedger, type FeedTotals, unaccounted, unaccountedInHub } from "../hub/counts.ts";

/** Where an event of a feed can be lost without anybody counting it. */
export const hops = ["nodes", "hub", "subscribers", "stdout"] as const;
export type Hop = (typeof hops)[number];

/** What each hop counts for itself, in events of one feed since the start. */
export interface FeedBook {
  /** Cut from the streams of all nodes, those gone included. */
  readonly nodes: number;
  readonly hub: FeedTotals;
  /** All there ever were. */
  readonly subscribers: ConsumerLedger;
  readonly stdout: ConsumerLedger;
}

/**
 * Events that one hop took and no counter behind it knows of; below 0: counted twice. 0 at any instant, or the relay is
 * wrong: all of it is counted in the same turn of the event loop in which it happens.
 */
export function unaccountedByHop({ nodes, hub, subscribers, stdout }: FeedBook): Readonly<Record<Hop, number>> {
  return {
    nodes: nodes - hub.received,
    hub: unaccountedInHub(hub),
    subscribers: unaccounted(subscribers),
    stdout: unaccounted(stdout),
  };
}
