import type { Relay } from "../api/relay.ts";
import { objectText } from "../decide/plan.ts";
import { beyondReach } from "../decide/reach.ts";
import { problemsOf } from "../decide/validate.ts";
import { type Outcome, done } from "../engine/outcome.ts";
import { differencesOf, planRelay } from "./planning.ts";
import type { ReconcilerDeps, ReconcilerOptions } from "./reconciler.ts";

/** A pass that writes nothing, not even a status: it logs what a real one would do. */
export async function preview(
  key: string,
  relay: Relay,
  options: ReconcilerOptions,
  deps: ReconcilerDeps,
  signal: AbortSignal,
): Promise<Outcome> {
  const log = deps.log.with({ key });
  const problems = [...problemsOf(relay), ...beyondReach(relay, options.reach)];
  if (problems.length > 0) {
    log.warn("Would refuse the spec", { problems });
    return done;
  }
  const plan = await planRelay(key, relay, options, "all", deps, signal);
  const foreign = plan.foreign.map(objectText);
  if (differencesOf(plan).length === 0) log.info("Would write nothing");
  else {
    const writes = plan.writes.map(({ desired, paths }) => [objectText(desired), ...paths].join(" "));
    log.info("Would write", { writes, deletes: plan.deletes.map(objectText), foreign });
  }
  return done;
}
