import type { WatchFailure } from "../../lib/kube/types.ts";
import type { NamespaceState } from "../discovery/watch-agent-pods.ts";

export interface ProblemFacts {
  readonly discovery: readonly NamespaceState[];
  /** What is wrong with the newest settings. */
  readonly refusedSettings: readonly string[];
  readonly isStdoutClosed: boolean;
  /** Since when the API has answered to reports; Infinity while it does not. Both monotonic. */
  readonly answeredSinceMs: number;
  readonly nowMs: number;
}

/**
 * A refusal is told at once, with the server's words: they name the right that is missing, and they stay the same. Of all else
 * kind and words change from one attempt to the next, and it mostly passes.
 */
const isRefusal: ReadonlySet<WatchFailure> = new Set(["forbidden", "unauthorized"]);

/**
 * An API server that restarts, or a connection that breaks, is no trouble of the relay's: what it knows stays in force. As long
 * as a watch waits at most until it tries again: after an outage the first report must not tell of what is over.
 */
const patienceMs = 30_000;

/**
 * What keeps the relay from doing what it was told, a sentence each. They stay as they are for as long as the trouble does:
 * each change is a write to the API. That agents are being listed for the first time is no trouble.
 */
export function problemsOf({ discovery, refusedSettings, isStdoutClosed, ...times }: ProblemFacts): readonly string[] {
  const refused = refusedSettings.map((error) => `settings are refused, the last good ones are in force: ${error}`);
  return [
    ...discovery.flatMap((state) => discoveryProblem(state, times)),
    ...refused,
    ...(isStdoutClosed ? ["stdout is closed: nothing is printed until the container restarts"] : []),
  ];
}

function discoveryProblem(
  { namespace, state, failingSinceMs }: NamespaceState,
  { answeredSinceMs, nowMs }: Pick<ProblemFacts, "answeredSinceMs" | "nowMs">,
): readonly string[] {
  if (state.kind !== "failing" || failingSinceMs === undefined) return [];
  const where = namespace === undefined ? "all namespaces" : `namespace ${namespace}`;
  const trouble = `agents in ${where} cannot be watched`;
  if (isRefusal.has(state.reason)) return [`${trouble} (${state.reason}): ${state.error.message}`];
  if (nowMs - Math.max(failingSinceMs, answeredSinceMs) < patienceMs) return [];
  return [`${trouble}: the API server has not answered as it should for ${patienceMs / 1000} s`];
}
