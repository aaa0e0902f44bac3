import type { FeedId } from "../feeds.ts";
import type { AgentCounts } from "./entry.ts";

/** What is read of a node. */
export interface ConnectedNode {
  readonly state: { readonly kind: string };
  readonly counts: ReadonlyMap<FeedId, { readonly isOpen: boolean; readonly isRefused: boolean }>;
}

/** Agents older than it do not serve it; an agent that serves no alerts or no logs is none whose events come. */
const optionalFeed: FeedId = "messages";

/** Connected is an agent whose connection is up with all streams open, but one of messages that it does not serve. */
export function countAgents(nodes: readonly ConnectedNode[]): AgentCounts {
  return { seen: nodes.length, connected: nodes.filter(isWhole).length };
}

function isWhole({ state, counts }: ConnectedNode): boolean {
  if (state.kind !== "connected") return false;
  for (const [feed, { isOpen, isRefused }] of counts) {
    if (!isOpen && !(isRefused && feed === optionalFeed)) return false;
  }
  return true;
}
