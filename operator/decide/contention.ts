import { deployments } from "../../lib/kube/resources.ts";

/** What somebody else did to an object of ours, and was put back. */
export type Repair =
  /** Fields of it. */
  | { readonly kind: "written"; readonly by: string; readonly paths: readonly string[] }
  /** By whom is recorded nowhere. */
  | { readonly kind: "deleted" };

/** Of an object that somebody else keeps changing. */
export interface Fight {
  /** Of the object. */
  readonly kind: string;
  /** Repairs in a row. */
  readonly rounds: number;
  /** Of the last repair, by the monotonic clock. */
  readonly repairedMs: number;
  readonly last: Repair;
}

/** Repairs that are made at once: people correct themselves, too. */
const freeRounds = 4;
const firstWaitMs = 1_000;
/**
 * Of a Deployment: its repair may cost all pods. What is at odds for good is still repaired, but costs next to nothing; what is
 * missing altogether costs events.
 */
const maxDeploymentWaitMs: Readonly<Record<Repair["kind"], number>> = { written: 300_000, deleted: 30_000 };
/** Of settings, rights and addresses: until they are repaired a relay may be silent, and the repair costs one request. */
const maxOtherWaitMs = 5_000;
/** Repairs that are further apart are no fight. */
const memoryMs = 60_000;

/** Whoever changes the object soon after it was written begins a fight. */
export function firstWrite(kind: string, nowMs: number): Fight {
  return { kind, rounds: 0, repairedMs: nowMs, last: { kind: "deleted" } };
}

/** @param earlier what is known of this object, if anything */
export function afterRepair(earlier: Fight | undefined, kind: string, repair: Repair, nowMs: number): Fight {
  const rounds = earlier === undefined || isOver(earlier, nowMs) ? 1 : earlier.rounds + 1;
  return { kind, last: repair, rounds, repairedMs: nowMs };
}

/** Whether it goes on: then the next repair has to wait, and the relay's status tells. */
export function isFight({ rounds }: Fight): boolean {
  return rounds >= freeRounds;
}

/** From when the object may be repaired again, each time twice as long after the last repair. */
export function nextRepairMs(fight: Fight): number {
  return fight.repairedMs + waitMs(fight);
}

/** From when it is forgotten: nobody wrote for twice as long as we held back. */
export function endMs(fight: Fight): number {
  return fight.repairedMs + Math.max(memoryMs, 2 * waitMs(fight));
}

export function isOver(fight: Fight, nowMs: number): boolean {
  return nowMs >= endMs(fight);
}

function waitMs(fight: Fight): number {
  if (!isFight(fight)) return 0;
  const { kind, rounds, last } = fight;
  const maxWaitMs = kind === deployments.kind ? maxDeploymentWaitMs[last.kind] : maxOtherWaitMs;
  return Math.min(maxWaitMs, firstWaitMs * 2 ** Math.min(rounds - freeRounds, 20));
}
