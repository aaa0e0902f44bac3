import type { NamespaceState } from "./discovery/watch-agent-pods.ts";

export type Phase = "starting" | "serving" | "draining";

/**
 * Why the relay is not ready, a sentence each: empty = it is. That agents cannot be looked for is a reason, as an empty relay
 * that looks healthy would hide every event; how many there are is none.
 */
export function notReady(phase: Phase, discovery: readonly NamespaceState[]): readonly string[] {
  return [...(phase === "serving" ? [] : [phase]), ...discovery.flatMap(notSynced)];
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
