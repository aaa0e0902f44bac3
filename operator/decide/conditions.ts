import type { KubeObject } from "../../lib/kube/types.ts";
import type { Relay } from "../api/relay.ts";
import { assertNever } from "./assert-never.ts";
import { type PodProblem, problemOfPods } from "./pods.ts";
import type { ConditionType, Reason } from "./reasons.ts";
import type { Reports } from "./reports.ts";
import { type PodCounts, type Rollout, podCounts, rolloutOf } from "./rollout.ts";
import { warningsOf } from "./validate.ts";
import type { WriteResult } from "./write-result.ts";

/** All that the conditions depend on. */
export interface Situation {
  readonly relay: Relay;
  /** What is wrong with the spec. */
  readonly problems: readonly string[];
  /** Why the spec is refused when there are problems. */
  readonly refusal?: Refusal;
  readonly write: WriteResult;
  /** As it is now, after the write. */
  readonly deployment: KubeObject | undefined;
  readonly pods: readonly KubeObject[];
  /** Names of pods that do not serve and are not coming up. */
  readonly lostPods: readonly string[];
  /** What the pods say of themselves. */
  readonly reports: Reports;
  /** Objects that somebody else keeps writing, with who and what. */
  readonly fights: readonly string[];
}

export type Refusal = Extract<Reason, "InvalidSpec" | "ClusterRightsNeeded">;

/** A condition without what depends on earlier ones. */
export interface Finding {
  readonly type: ConditionType;
  readonly status: "True" | "False";
  readonly reason: Reason;
  readonly message: string;
}

interface Verdict {
  readonly reason: Reason;
  readonly message: string;
}

/** In the order in which they are shown. */
export function conditionsOf(situation: Situation): readonly Finding[] {
  const rollout = rolloutNow(situation);
  const counts = podCounts(situation.deployment);
  const trouble = troubleOf(rollout, counts, situation);
  const accepted = acceptedOf(situation);
  const applied = appliedOf(situation);
  const available = availableOf(counts, rollout);
  const awaited = trouble === undefined ? awaitedOf(rollout, counts, situation.reports) : undefined;
  const progressing = progressingOf(rollout, counts, awaited);
  const blocker =
    [accepted, applied].find((finding) => finding.status === "False") ??
    trouble ??
    waitingOf(rollout, progressing, awaited);
  const ready: Finding =
    blocker === undefined
      ? {
          type: "Ready",
          status: "True",
          reason: "RelayReady",
          message: `${counts.available} of ${counts.wanted} pods serve`,
        }
      : { type: "Ready", status: "False", reason: blocker.reason, message: blocker.message };
  return [
    ready,
    accepted,
    applied,
    available,
    progressing,
    degradedOf(trouble),
    ...abnormalOf(situation, rollout, blocker),
    ...contendedOf(situation),
  ];
}

/** What is missing since a complete rollout is no loss as long as it is coming up. */
function rolloutNow({ deployment, lostPods }: Situation): Rollout {
  const rollout = rolloutOf(deployment);
  return rollout.kind === "unavailable" && lostPods.length === 0 ? { kind: "progressing" } : rollout;
}

function acceptedOf({ relay, problems, refusal = "InvalidSpec" }: Situation): Finding {
  const type = "Accepted";
  if (problems.length > 0) return { type, status: "False", reason: refusal, message: problems.join("; ") };
  const warnings = warningsOf(relay);
  return { type, status: "True", reason: warnings.length > 0 ? "Unwise" : "Valid", message: warnings.join("; ") };
}

function appliedOf({ write, fights, refusal = "InvalidSpec" }: Situation): Finding {
  const type = "Applied";
  switch (write.kind) {
    case "applied":
      // What is put back ever more rarely is mostly as somebody else wants it.
      if (fights.length > 0) return { type, status: "False", reason: "Contended", message: contentionText(fights) };
      return { type, status: "True", reason: "Applied", message: "" };
    case "suspended":
      return write.different.length === 0
        ? { type, status: "True", reason: "Applied", message: "Suspended, and nothing differs" }
        : {
            type,
            status: "False",
            reason: "Suspended",
            message: `Suspended; not written: ${write.different.join(", ")}`,
          };
    case "not-attempted":
      return { type, status: "False", reason: refusal, message: "Nothing is written while the spec is refused" };
    case "blocked":
    case "failed":
      return { type, status: "False", reason: write.reason, message: write.message };
    default:
      return assertNever(write);
  }
}

function availableOf(counts: PodCounts, rollout: Rollout): Finding {
  const type = "Available";
  if (rollout.kind !== "missing" && counts.available > 0)
    return { type, status: "True", reason: "PodsAvailable", message: countText(counts) };
  const reason = rollout.kind === "scaled-to-zero" ? "ScaledToZero" : "NoPodsAvailable";
  return { type, status: "False", reason, message: countText(counts) };
}

/** What the pods of a complete rollout have yet to confirm; undefined: nothing. */
function awaitedOf(rollout: Rollout, { wanted }: PodCounts, { livePods, waiting }: Reports): string | undefined {
  if (rollout.kind !== "complete") return undefined;
  if (waiting.length > 0) return waiting.join("; ");
  return livePods < wanted ? `${livePods} of ${wanted} pods are known` : undefined;
}

function progressingOf(rollout: Rollout, counts: PodCounts, awaited: string | undefined): Finding {
  const type = "Progressing";
  switch (rollout.kind) {
    case "missing":
      return { type, status: "False", reason: "NotApplied", message: "There is no Deployment" };
    case "unobserved":
      return { type, status: "True", reason: "RolloutNotObserved", message: "" };
    case "progressing":
      return { type, status: "True", reason: "RolloutInProgress", message: countText(counts) };
    case "refused":
      return { type, status: "False", reason: "PodsRefused", message: rollout.message };
    case "deadline-exceeded":
      return { type, status: "False", reason: "ProgressDeadlineExceeded", message: rollout.message };
    case "complete":
    case "unavailable":
    case "scaled-to-zero":
      return awaited !== undefined
        ? { type, status: "True", reason: "AwaitingReport", message: awaited }
        : { type, status: "False", reason: "RolloutComplete", message: countText(counts) };
    default:
      return assertNever(rollout);
  }
}

/** What is wrong with the pods, the most telling first; undefined = nothing that waiting would not cure. */
function troubleOf(rollout: Rollout, counts: PodCounts, { pods, reports }: Situation): Verdict | undefined {
  if (rollout.kind === "missing" || rollout.kind === "scaled-to-zero") return undefined;
  const problem: PodProblem | undefined = rollout.kind === "complete" ? undefined : problemOfPods(pods);
  if (problem !== undefined) return problem;
  if (reports.problems.length > 0) return { reason: "RelayProblem", message: reports.problems.join("; ") };
  if (rollout.kind === "refused") return { reason: "PodsRefused", message: rollout.message };
  if (rollout.kind === "deadline-exceeded") return { reason: "ProgressDeadlineExceeded", message: rollout.message };
  if (rollout.kind === "unavailable") return { reason: "PodsNotAvailable", message: countText(counts) };
  if (rollout.kind === "complete" && reports.silent.length > 0)
    return { reason: "NotReporting", message: reports.silent.join("; ") };
  return undefined;
}

function waitingOf(rollout: Rollout, progressing: Finding, awaited: string | undefined): Verdict | undefined {
  if (rollout.kind === "complete" && awaited === undefined) return undefined;
  if (rollout.kind === "scaled-to-zero")
    return { reason: "ScaledToZero", message: "spec.replicas is 0: nothing collects events" };
  return progressing;
}

function degradedOf(trouble: Verdict | undefined): Finding {
  return trouble === undefined
    ? { type: "Degraded", status: "False", reason: "AsExpected", message: "" }
    : { type: "Degraded", status: "True", ...trouble };
}

/** Exactly one of the two while the relay is neither ready nor meant to rest. */
function abnormalOf(
  { problems, write }: Situation,
  rollout: Rollout,
  blocker: Verdict | undefined,
): readonly Finding[] {
  if (blocker === undefined || blocker.reason === "ScaledToZero" || blocker.reason === "Suspended") return [];
  const isStalled =
    problems.length > 0 ||
    (write.kind === "failed" && !write.isRetryable) ||
    (write.kind === "blocked" && write.reason !== "AwaitingDeletion") ||
    rollout.kind === "deadline-exceeded";
  const { reason, message } = blocker;
  return [{ type: isStalled ? "Stalled" : "Reconciling", status: "True", reason, message }];
}

function contendedOf({ fights }: Situation): readonly Finding[] {
  if (fights.length === 0) return [];
  return [{ type: "Contended", status: "True", reason: "Contended", message: contentionText(fights) }];
}

function contentionText(fights: readonly string[]): string {
  return `Put back ever more rarely, because somebody else keeps writing or deleting it: ${fights.join("; ")}`;
}

function countText({ wanted, total, updated, available }: PodCounts): string {
  return `${wanted} wanted, ${total} there, ${updated} updated, ${available} available`;
}
