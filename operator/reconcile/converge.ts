import { type Relay, relayResource } from "../api/relay.ts";
import { assertNever } from "../decide/assert-never.ts";
import { adoptionOf, driftOf, isSettled, repairOf } from "../decide/drift.ts";
import { wantsAdoption } from "../decide/adoption.ts";
import type { PlannedWrite } from "../decide/plan.ts";
import { beyondReach } from "../decide/reach.ts";
import { withUnseen } from "../decide/unseen.ts";
import { problemsOf } from "../decide/validate.ts";
import { obstacleOf, postponed } from "../decide/way-out.ts";
import { type WriteResult, failureOf, isStale, tellingError } from "../decide/write-result.ts";
import type { DeploymentOptions } from "../desired/deployment.ts";
import { fieldManager } from "../desired/names.ts";
import { desiredObjects } from "../desired/objects.ts";
import { type Outcome, TerminalError, done } from "../engine/outcome.ts";
import { addFinalizer, hasFinalizer } from "./finalizer.ts";
import { ownerOf } from "../watch/keys.ts";
import type { Asking } from "./gather.ts";
import { differencesOf, planRelay } from "./planning.ts";
import type { Memory, ReconcilerDeps, ReconcilerOptions } from "./reconciler.ts";
import { report } from "./report.ts";
import { carryOut } from "./write.ts";

const defaultRecheckBlockedMs = 60_000;
/** Namespaces are not watched. */
const recheckNamespaceMs = 30_000;
/** The garbage collector's work is announced; this only covers an announcement that was missed. */
const recheckLeavingMs = 2_000;

/** One pass over a relay that is to be: gather, decide, write the objects, report in the status. */
export async function converge(
  key: string,
  relay: Relay,
  options: ReconcilerOptions,
  deps: ReconcilerDeps & Memory,
  signal: AbortSignal,
): Promise<Outcome> {
  const invalid = problemsOf(relay);
  const problems = invalid.length > 0 ? invalid : beyondReach(relay, options.reach);
  const refusal = invalid.length > 0 ? "InvalidSpec" : "ClusterRightsNeeded";
  const attempt: Attempt =
    problems.length > 0 ? { result: { kind: "not-attempted" } } : await write(key, relay, options, deps, signal);
  const result = withUnseen(attempt.result, deps.view.unseen());
  const reportInMs = await report(key, relay, problems, result, deps, signal, refusal);
  // What is pending is not dropped: the pass that comes for it is the one that ends here.
  if (problems.length > 0 && reportInMs > 0) return { kind: "requeue-after", afterMs: reportInMs };
  if (problems.length > 0) throw new TerminalError(`The spec is refused: ${problems.join("; ")}`);
  const againInMs = deps.contention.of(key).againInMs;
  const { recheckBlockedMs = defaultRecheckBlockedMs } = options;
  return soonest(
    outcomeOf({ ...attempt, result }, recheckBlockedMs),
    reportInMs === 0 ? undefined : reportInMs,
    againInMs,
  );
}

function soonest(outcome: Outcome, ...othersMs: readonly (number | undefined)[]): Outcome {
  const waitsMs = [outcome.kind === "requeue-after" ? outcome.afterMs : undefined, ...othersMs].filter(
    (waitMs) => waitMs !== undefined,
  );
  return waitsMs.length === 0 ? outcome : { kind: "requeue-after", afterMs: Math.min(...waitsMs) };
}

interface Attempt {
  readonly result: WriteResult;
  /** Why it failed, when it did. */
  readonly error?: unknown;
}

async function write(
  key: string,
  relay: Relay,
  options: DeploymentOptions,
  deps: ReconcilerDeps & Memory,
  signal: AbortSignal,
): Promise<Attempt> {
  try {
    const asking = mayTry(relay) ? "least" : "all";
    const attempt = await writeOnce(key, relay, options, asking, deps, signal);
    // A name that was taken for free may not be: now that is looked at.
    const isTaken = asking === "least" && isStale(attempt.error);
    const final = isTaken ? await writeOnce(key, relay, options, "all", deps, signal) : attempt;
    if (final.error === undefined) return final;
    throwIfNoNews(final.error, signal);
    return final;
  } catch (error) {
    throwIfNoNews(error, signal);
    return { result: failureOf([error]), error };
  }
}

/** Whether names that the caches do not know may be taken for free until the server says otherwise: it was right last time. */
function mayTry(relay: Relay): boolean {
  const { spec, status } = relay;
  return (
    !spec.suspend &&
    !wantsAdoption(relay) &&
    status.conditions?.find(({ type }) => type === "Applied")?.status !== "False"
  );
}

async function writeOnce(
  key: string,
  relay: Relay,
  options: DeploymentOptions,
  asking: Asking,
  deps: ReconcilerDeps & Memory,
  signal: AbortSignal,
): Promise<Attempt> {
  const plan = await planRelay(key, relay, options, asking, deps, signal);
  if (relay.spec.suspend) return { result: { kind: "suspended", different: differencesOf(plan) } };
  const inTheWay = obstacleOf(plan);
  // A relay that has never run must not start in part; one that runs must not be frozen by one object.
  if (inTheWay !== undefined && !plan.isRunning) return { result: inTheWay };
  const hasUnowned = desiredObjects(relay, options).some(({ object }) => ownerOf(object) !== undefined);
  if (hasUnowned && !hasFinalizer(deps.view.get(relayResource, relay.metadata) ?? relay))
    await addFinalizer(relay, deps, signal);
  const { generation = 0 } = relay.metadata;
  const writes = deps.contention.due(key, plan.writes, generation);
  const { written, errors } = await carryOut({ ...plan, writes }, deps, signal);
  const missing = inTheWay ?? postponed(plan);
  remember(key, relay, written, deps);
  if (errors.length === 0 && missing === undefined) deps.contention.converged(key);
  if (errors.length > 0) return { result: failureOf(errors), error: tellingError(errors) };
  return { result: missing ?? { kind: "applied" } };
}

/** Tells of what was put back or taken over, and keeps who did it how often. */
function remember(
  key: string,
  relay: Relay,
  written: readonly PlannedWrite[],
  deps: Pick<ReconcilerDeps, "record" | "onDrift"> & Pick<Memory, "contention">,
): void {
  const suspicious = deps.contention.suspicious(key, written);
  for (const planned of written) {
    if (planned.adopts === true) deps.record(relay, adoptionOf(planned));
    const repair = suspicious.includes(planned) ? repairOf(planned, fieldManager) : undefined;
    deps.contention.wrote(key, planned, repair, isSettled(relay), relay.metadata.generation ?? 0);
  }
  for (const { write: repaired, transition } of driftOf(relay, suspicious, fieldManager)) {
    deps.onDrift(repaired);
    deps.record(relay, transition);
  }
}

function throwIfNoNews(error: unknown, signal: AbortSignal): void {
  // The process ends, or the pass took too long: neither is news about the relay.
  signal.throwIfAborted();
  // What was decided upon is out of date: it is decided anew with backoff, and is no news either.
  if (isStale(error)) throw error;
}

function outcomeOf({ result, error }: Attempt, recheckBlockedMs: number): Outcome {
  switch (result.kind) {
    case "blocked":
      return {
        kind: "requeue-after",
        afterMs: result.reason === "AwaitingDeletion" ? recheckLeavingMs : recheckBlockedMs,
      };
    case "failed":
      if (result.reason === "NamespaceTerminating") return done;
      // The Deployment's next report is announced; this only covers an announcement that was missed.
      if (result.reason === "Adopting") return { kind: "requeue-after", afterMs: recheckNamespaceMs };
      if (result.isRetryable) throw new Error("Cannot write the relay's objects", { cause: error });
      return {
        kind: "requeue-after",
        afterMs: result.reason === "NamespaceNotFound" ? recheckNamespaceMs : recheckBlockedMs,
      };
    case "applied":
    case "not-attempted":
    case "suspended":
      return done;
    default:
      return assertNever(result);
  }
}
