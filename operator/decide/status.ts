import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "../../lib/kube/types.ts";
import type { Condition, Relay, RelayStatus } from "../api/relay.ts";
import type { Finding } from "./conditions.ts";
import { type Reason, conditionTypes } from "./reasons.ts";
import type { Reports } from "./reports.ts";
import { podCounts } from "./rollout.ts";

/** The part of the status that is read off the live objects: absent while the object is. */
export interface Facts {
  readonly selector: string;
  readonly endpoint: string | undefined;
  readonly image: string | undefined;
  /** The settings that pods are to confirm: their hash, and when they were written (milliseconds since 1970). */
  readonly settings: { readonly hash: string; readonly sinceMs: number } | undefined;
  readonly deployment: KubeObject | undefined;
}

/** Characters; the CRD, as the API conventions, refuses a status with a longer message. */
const maxMessageLength = 32_768;

/** @param nowMs milliseconds since 1970. */
export function nextStatus(
  relay: Relay,
  findings: readonly Finding[],
  facts: Facts,
  { stdout, version, agents, loss }: Pick<Reports, "stdout" | "version" | "agents" | "loss">,
  nowMs: number,
): RelayStatus {
  const generation = relay.metadata.generation ?? 0;
  const counts = podCounts(facts.deployment);
  const now = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  return {
    observedGeneration: generation,
    conditions: findings.map((finding) => condition(finding, relay, generation, now)),
    replicas: counts.total,
    readyReplicas: counts.ready,
    updatedReplicas: counts.updated,
    selector: facts.selector,
    ...(facts.endpoint === undefined ? {} : { endpoint: facts.endpoint }),
    ...(facts.image === undefined ? {} : { image: facts.image }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(version === undefined ? {} : { version }),
    ...(agents === undefined ? {} : { agents }),
    ...(loss === undefined ? {} : { loss }),
  };
}

function condition(finding: Finding, relay: Relay, observedGeneration: number, now: string): Condition {
  const earlier = relay.status.conditions?.find((each) => each.type === finding.type);
  const lastTransitionTime = earlier?.status === finding.status ? earlier.lastTransitionTime : now;
  return { ...finding, message: truncate(finding.message), observedGeneration, lastTransitionTime };
}

/** Says that it was cut. */
function truncate(message: string): string {
  if (message.length <= maxMessageLength) return message;
  // A character of two halves is kept whole, or left out.
  const kept = message.slice(0, maxMessageLength - 1).replace(/[\uD800-\uDBFF]$/, "");
  return `${kept}…`;
}

/** Whether all that keeps the relay from being ready is that its pods have yet to confirm their settings. */
export function isAwaitingReport(status: RelayStatus): boolean {
  return readyIsFor("AwaitingReport", status);
}

/** Whether they have been waited for in vain. */
export function isNotReporting(status: RelayStatus): boolean {
  return readyIsFor("NotReporting", status);
}

function readyIsFor(wanted: Reason, { conditions = [] }: RelayStatus): boolean {
  return conditions.some(({ type, reason }) => type === "Ready" && reason === wanted);
}

/**
 * Whether the only news is how far a rollout is: numbers of pods, what they report, and texts about them. Each pod would be
 * a write, and each is out of date with the next one.
 */
export function isProgressOnly(live: RelayStatus, next: RelayStatus): boolean {
  if (!isReconciling(live)) return false;
  // The next change of the settings comes before the last one is confirmed: they are being taken up all the while.
  const isAwaiting = isAwaitingReport(live) && isAwaitingReport(next);
  return isDeepStrictEqual(withoutProgress(live, isAwaiting), withoutProgress(next, isAwaiting));
}

function isReconciling({ conditions = [] }: RelayStatus): boolean {
  return conditions.some(({ type, status }) => type === "Reconciling" && status === "True");
}

const progressReasons: ReadonlySet<string> = new Set([
  "RolloutNotObserved",
  "RolloutInProgress",
  "AwaitingReport",
] satisfies Reason[]);

function withoutProgress(status: RelayStatus, isAwaiting: boolean): unknown {
  const { observedGeneration, endpoint, image, selector } = status;
  const states = ownConditions(status)
    .map(({ type, status: state, reason }) => [type, state, progressReasons.has(reason) ? "" : reason].join())
    .toSorted();
  return { observedGeneration: isAwaiting ? 0 : observedGeneration, endpoint, image, selector, states };
}

/** Whether the only news is what is counted all the time. */
export function isNumbersOnly(live: RelayStatus, next: RelayStatus): boolean {
  return isSameStatus(withoutNumbers(live), withoutNumbers(next));
}

function withoutNumbers({ agents: _agents, loss: _loss, ...rest }: RelayStatus): RelayStatus {
  return rest;
}

/** Whether writing `next` would change nothing. Conditions of others, the order of ours and what pods wrote do not count. */
export function isSameStatus(live: RelayStatus, next: RelayStatus): boolean {
  return isDeepStrictEqual(comparable(live), comparable(next));
}

/** Whether there is more in the operator's part of `stored` than in `next`. */
export function hasSurplus(stored: RelayStatus, next: RelayStatus): boolean {
  const extra = Object.keys(stored).filter((name) => name !== "relays" && !Object.hasOwn(next, name));
  const stated = new Set(ownConditions(next).map(({ type }) => type));
  return extra.length > 0 || ownConditions(stored).some(({ type }) => !stated.has(type));
}

function comparable(status: RelayStatus): unknown {
  const conditions = ownConditions(status).toSorted((a, b) => (a.type < b.type ? -1 : 1));
  return { ...status, relays: undefined, conditions };
}

function ownConditions({ conditions = [] }: RelayStatus): readonly Condition[] {
  const ours: readonly string[] = conditionTypes;
  return conditions.filter(({ type }) => ours.includes(type));
}
