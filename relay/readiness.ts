import type { NamespaceState } from "./discovery/watch-agent-pods.ts";

export type Phase = "starting" | "serving" | "draining";

/** How agents are looked for in a cluster. */
export interface Discovery {
  readonly states: readonly NamespaceState[];
  /** Whether they could be looked for once. */
  readonly wasListed: boolean;
}

/**
 * Why the relay is not ready, a sentence each: empty = it is. That agents could never be looked for is a reason, as an empty
 * relay that looks healthy would hide every event; how many there are is none. Nor is trouble later on: the agents that are
 * known are read all the same, and clients would be sent away from their events whenever the API server restarts.
 */
export function notReady(phase: Phase, discovery: Discovery | undefined): readonly string[] {
  const isBlind = discovery !== undefined && !discovery.wasListed;
  return [...(phase === "serving" ? [] : [phase]), ...(isBlind ? blindnessOf(discovery) : [])];
}

/** Whether agents that come now are seen. */
export function seesAgents(discovery: Discovery | undefined): boolean {
  return discovery?.states.every(({ state }) => state.kind === "synced") ?? true;
}

function blindnessOf({ states }: Discovery): readonly string[] {
  const reasons = states.flatMap(notSynced);
  // Between the last listing and the news of it.
  return reasons.length === 0 ? ["discovery: agents are not listed yet"] : reasons;
}

function notSynced({ namespace, state }: NamespaceState): readonly string[] {
  const where = namespace === undefined ? "all namespaces" : `namespace ${namespace}`;
  switch (state.kind) {
    case "synced":
      return [];
    case "starting":
      return [`discovery: agents in ${where} are not listed yet`];
    case "failing":
      return [`discovery: agents in ${where} cannot be watched (${state.reason}): ${state.error.message}`];
  }
}
