import { isConflict } from "../../lib/kube/errors.ts";
import { type Relay, relayResource } from "../api/relay.ts";
import { assertNever } from "../decide/assert-never.ts";
import { driftOf } from "../decide/drift.ts";
import { type Plan, objectText } from "../decide/plan.ts";
import { problemsOf } from "../decide/validate.ts";
import { wayOut } from "../decide/way-out.ts";
import { type WriteResult, writeFailure } from "../decide/write-result.ts";
import type { DeploymentOptions } from "../desired/deployment.ts";
import { fieldManager } from "../desired/names.ts";
import { desiredObjects } from "../desired/objects.ts";
import { type Outcome, TerminalError, done } from "../engine/outcome.ts";
import { addFinalizer, hasFinalizer } from "./finalizer.ts";
import { ownerOf } from "../watch/keys.ts";
import type { Asking } from "./gather.ts";
import { differencesOf, planRelay } from "./planning.ts";
import type { Memory, ReconcilerDeps } from "./reconciler.ts";
import { report } from "./report.ts";
import { carryOut } from "./write.ts";

/** No change announces that somebody else's object, a quota or a policy is out of the way. */
const recheckBlockedMs = 60_000;
/** The garbage collector's work is announced; this only covers an announcement that was missed. */
const recheckLeavingMs = 2_000;

/** One pass over a relay that is to be: gather, decide, write the objects, report in the status. */
export async function converge(
  key: string,
  relay: Relay,
  options: DeploymentOptions,
  deps: ReconcilerDeps & Memory,
  signal: AbortSignal,
): Promise<Outcome> {
  const problems = problemsOf(relay);
  const attempt: Attempt =
    problems.length > 0 ? { result: { kind: "not-attempted" } } : await write(key, relay, options, deps, signal);
  const reportInMs = await report(key, relay, problems, attempt.result, deps, signal);
  if (problems.length > 0) throw new TerminalError(`The spec is invalid: ${problems.join("; ")}`);
  const againInMs = deps.contention.of(key).againInMs;
  return soonest(outcomeOf(attempt), reportInMs === 0 ? undefined : reportInMs, againInMs);
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
    const isTaken = asking === "least" && isConflict(attempt.error);
    const final = isTaken ? await writeOnce(key, relay, options, "all", deps, signal) : attempt;
    return final.error === undefined ? final : failedAttempt(final.error, signal);
  } catch (error) {
    return failedAttempt(error, signal);
  }
}

/** Whether names that the caches do not know may be taken for free until the server says otherwise: it was right last time. */
function mayTry({ spec, status }: Relay): boolean {
  return !spec.suspend && status.conditions?.find(({ type }) => type === "Applied")?.status !== "False";
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
  const error = await carryOut({ ...plan, writes, ...(inTheWay === undefined ? {} : { deletes: [] }) }, deps, signal);
  if (error !== undefined) return { result: writeFailure(error), error };
  for (const { write: repaired, transition, repair } of driftOf(relay, writes, fieldManager)) {
    deps.onDrift(repaired);
    deps.record(relay, transition);
    if (repair !== undefined) deps.contention.repaired(key, repaired, repair, generation);
  }
  return { result: inTheWay ?? { kind: "applied" } };
}

function failedAttempt(error: unknown, signal: AbortSignal): Attempt {
  // The process ends, or the pass took too long: neither is news about the relay.
  signal.throwIfAborted();
  // What was decided upon is out of date: it is decided anew with backoff, and is no news either.
  if (isConflict(error)) throw error;
  return { result: writeFailure(error), error };
}

function obstacleOf({ foreign, leaving, claimed }: Plan): WriteResult | undefined {
  if (foreign.length > 0) {
    const names = foreign.map(objectText).join(", ");
    const { reason, text } = wayOut(foreign.map(({ object }) => object));
    return {
      kind: "blocked",
      reason,
      message: `Not written, because it exists and belongs to somebody else: ${names}. ${text}`,
    };
  }
  const [claim] = claimed;
  if (claim !== undefined) {
    const { desired, by } = claim;
    const message = `Not written, because relay ${by.metadata.name} is older and wants it too: ${objectText(desired)}. Choose another name`;
    return { kind: "blocked", reason: "NameConflict", message };
  }
  if (leaving.length === 0) return undefined;
  const message = `Being deleted, and written anew after that: ${leaving.map(objectText).join(", ")}`;
  return { kind: "blocked", reason: "AwaitingDeletion", message };
}

function outcomeOf({ result, error }: Attempt): Outcome {
  switch (result.kind) {
    case "blocked":
      return {
        kind: "requeue-after",
        afterMs: result.reason === "AwaitingDeletion" ? recheckLeavingMs : recheckBlockedMs,
      };
    case "failed":
      if (result.reason === "NamespaceTerminating") return done;
      if (result.isRetryable) throw new Error("Cannot write the relay's objects", { cause: error });
      return { kind: "requeue-after", afterMs: recheckBlockedMs };
    case "applied":
    case "not-attempted":
    case "suspended":
      return done;
    default:
      return assertNever(result);
  }
}
