import type { Relay } from "../api/relay.ts";

/**
 * The relay that a Service's name goes to instead of to this one: the oldest of those that want it. Every pass must come to
 * the same answer, or two relays would take the Service from each other in turn.
 * @param wanting the relays of the namespace that want the name, with or without this one
 */
export function olderClaimant(relay: Relay, wanting: readonly Relay[]): Relay | undefined {
  const [oldest] = wanting.filter(({ metadata }) => metadata.deletionTimestamp === undefined).toSorted(byAge);
  return oldest !== undefined && byAge(oldest, relay) < 0 ? oldest : undefined;
}

/** Times are of whole seconds, hence the UID: as good as chance, but the same for everybody. */
function byAge({ metadata: a }: Relay, { metadata: b }: Relay): number {
  return compare(a.creationTimestamp ?? "", b.creationTimestamp ?? "") || compare(a.uid ?? "", b.uid ?? "");
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
