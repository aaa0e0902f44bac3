import type { WatchFailure } from "../../lib/kube/types.ts";
import type { NamespaceState } from "../discovery/watch-agent-pods.ts";

export interface ProblemFacts {
  readonly discovery: readonly NamespaceState[];
  /** What is wrong with the newest settings. */
  readonly refusedSettings: readonly string[];
  readonly isStdoutClosed: boolean;
}

/** The server's words for a refusal by RBAC: they name the right that is missing, and they stay the same. */
const hasStableWords: ReadonlySet<WatchFailure> = new Set(["forbidden", "unauthorized"]);

/**
 * What keeps the relay from doing what it was told, a sentence each. They stay as they are for as long as the trouble does:
 * each change is a write to the API. That agents are being listed for the first time is no trouble.
 */
export function problemsOf({ discovery, refusedSettings, isStdoutClosed }: ProblemFacts): readonly string[] {
  const refused = refusedSettings.map((error) => `settings are refused, the last good ones are in force: ${error}`);
  return [
    ...discovery.flatMap(discoveryProblem),
    ...refused,
    ...(isStdoutClosed ? ["stdout is closed: nothing is printed until the container restarts"] : []),
  ];
}

function discoveryProblem({ namespace, state }: NamespaceState): readonly string[] {
  if (state.kind !== "failing") return [];
  const where = namespace === undefined ? "all namespaces" : `namespace ${namespace}`;
  const words = hasStableWords.has(state.reason) ? `: ${state.error.message}` : "";
  return [`agents in ${where} cannot be watched (${state.reason})${words}`];
}
