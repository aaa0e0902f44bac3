import type { Relay } from "../api/relay.ts";
import { type Refusal, conditionsOf } from "../decide/conditions.ts";
import { isProgressOnly, isSameStatus, nextStatus } from "../decide/status.ts";
import { transitionsOf } from "../decide/transitions.ts";
import type { WriteResult } from "../decide/write-result.ts";
import type { Memory, ReconcilerDeps } from "./reconciler.ts";
import { factsOf, writeStatus } from "./status.ts";

/** @returns after how many milliseconds there is something to be reported still; 0 = nothing */
export async function report(
  key: string,
  relay: Relay,
  problems: readonly string[],
  result: WriteResult,
  deps: ReconcilerDeps & Memory,
  signal: AbortSignal,
  refusal: Refusal = "InvalidSpec",
): Promise<number> {
  const { view, pace } = deps;
  const facts = factsOf(relay, view);
  const { fights } = deps.contention.of(key);
  const situation = {
    relay,
    problems,
    refusal,
    write: result,
    deployment: facts.deployment,
    pods: view.podsOf(key),
    fights,
  };
  const status = nextStatus(relay, conditionsOf(situation), facts, deps.clock.now());
  if (isSameStatus(relay.status, status)) return 0;
  const waitMs = isProgressOnly(relay.status, status) ? pace.waitMs(key) : 0;
  if (waitMs > 0) return waitMs;
  if (!(await writeStatus(relay, status, deps, signal))) return 0;
  pace.wrote(key);
  for (const transition of transitionsOf(relay.status, status)) deps.record(relay, transition);
  return 0;
}
