import { isConflict } from "../../lib/kube/errors.ts";
import { type Relay, parseRelay } from "../api/relay.ts";
import { assertNever } from "../decide/assert-never.ts";
import { conditionsOf } from "../decide/conditions.ts";
import { driftOf } from "../decide/drift.ts";
import { type Plan, objectText, planOf } from "../decide/plan.ts";
import { isSameStatus, nextStatus } from "../decide/status.ts";
import { transitionsOf } from "../decide/transitions.ts";
import { problemsOf } from "../decide/validate.ts";
import { type WriteResult, writeFailure } from "../decide/write-result.ts";
import type { DeploymentOptions } from "../desired/deployment.ts";
import { desiredObjects } from "../desired/objects.ts";
import { type Outcome, TerminalError, done } from "../engine/outcome.ts";
import { addFinalizer, hasFinalizer } from "./finalizer.ts";
import { gatherPairs } from "./gather.ts";
import type { ReconcilerDeps } from "./reconciler.ts";
import { factsOf, writeStatus } from "./status.ts";
import { carryOut, fieldManager } from "./write.ts";

/** No change announces that somebody else's object, a quota or a policy is out of the way. */
const recheckBlockedMs = 60_000;
/** The garbage collector's work is announced; this only covers an announcement that was missed. */
const recheckLeavingMs = 2_000;

/** One pass over a relay that is to be: gather, decide, write the objects, report in the status. */
export async function converge(
  key: string,
  relay: Relay,
  options: DeploymentOptions,
  deps: ReconcilerDeps,
  signal: AbortSignal,
): Promise<Outcome> {
  const problems = problemsOf(relay);
  const attempt: Attempt =
    problems.length > 0 ? { result: { kind: "not-attempted" } } : await write(key, relay, options, deps, signal);
  await report(key, relay, problems, attempt.result, deps, signal);
  if (problems.length > 0) throw new TerminalError(`The spec is invalid: ${problems.join("; ")}`);
  return outcomeOf(attempt);
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
  deps: ReconcilerDeps,
  signal: AbortSignal,
): Promise<Attempt> {
  const { view, client, differences } = deps;
  try {
    const pairs = await gatherPairs(desiredObjects(relay, options), view, client, signal);
    const wanting = view.relaysWanting(relay.metadata.namespace ?? "", relay.spec.service.name).map(parseRelay);
    const plan = planOf({ relay, pairs, owned: view.childrenOf(key), wanting }, { fieldManager, differences });
    if (relay.spec.suspend) return { result: { kind: "suspended", different: differencesOf(plan) } };
    const inTheWay = obstacleOf(plan);
    // A relay that has never run must not start in part; one that runs must not be frozen by one object.
    if (inTheWay !== undefined && !plan.isRunning) return { result: inTheWay };
    const hasClusterObjects = pairs.some(({ desired }) => !desired.resource.namespaced);
    if (hasClusterObjects && !hasFinalizer(relay)) await addFinalizer(relay, deps, signal);
    const error = await carryOut(inTheWay === undefined ? plan : { ...plan, deletes: [] }, deps, signal);
    if (error !== undefined) return failedAttempt(error, signal);
    for (const { write: repaired, ...transition } of driftOf(relay, plan.writes, fieldManager)) {
      deps.onDrift(repaired);
      deps.record(relay, transition);
    }
    return { result: inTheWay ?? { kind: "applied" } };
  } catch (error) {
    return failedAttempt(error, signal);
  }
}

function failedAttempt(error: unknown, signal: AbortSignal): Attempt {
  // The process ends, or the pass took too long: neither is news about the relay.
  signal.throwIfAborted();
  // What was decided upon is out of date: it is decided anew with backoff, and is no news either.
  if (isConflict(error)) throw error;
  return { result: writeFailure(error), error };
}

function differencesOf({ writes, deletes, foreign, leaving, claimed }: Plan): readonly string[] {
  const wanted = [...writes, ...claimed].map(({ desired }) => desired);
  return [...wanted, ...deletes, ...foreign, ...leaving].map(objectText);
}

function obstacleOf({ foreign, leaving, claimed }: Plan): WriteResult | undefined {
  if (foreign.length > 0) {
    const names = foreign.map(objectText).join(", ");
    const message = `Not written, because it exists and belongs to somebody else: ${names}. Remove it, or choose another name`;
    return { kind: "blocked", reason: "NameConflict", message };
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

async function report(
  key: string,
  relay: Relay,
  problems: readonly string[],
  result: WriteResult,
  deps: ReconcilerDeps,
  signal: AbortSignal,
): Promise<void> {
  const { view } = deps;
  const facts = factsOf(relay, view);
  const situation = { relay, problems, write: result, deployment: facts.deployment, pods: view.podsOf(key) };
  const status = nextStatus(relay, conditionsOf(situation), facts, deps.clock.now());
  if (isSameStatus(relay.status, status)) return;
  if (!(await writeStatus(relay, status, deps, signal))) return;
  for (const transition of transitionsOf(relay.status, status)) deps.record(relay, transition);
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
