import { isDeepStrictEqual } from "node:util";
import type { RelayEntry } from "./entry.ts";

/** Least times between the beginnings of two reports. */
export const paceMs = {
  /** For what somebody waits for: which settings are in force, and what is wrong. */
  prompt: 1_000,
  /** For what only counts. */
  ordinary: 10_000,
  /** For losses that go on, when nothing else is new: a relay under lasting load would have the operator write all the time. */
  losing: 60_000,
} as const;

/** For what has not changed: the API may have lost it. A status can be emptied by hand, or by a CRD that is rolled back. */
const doubtMs = { min: 240_000, spread: 120_000 } as const;

/** What has been said so far. Times are those of the monotonic clock. */
export interface Reported {
  /** What the API is known to have; undefined when that is not known: at the start, and after a report that failed. */
  readonly applied: RelayEntry | undefined;
  /** Whether there is a reason to think that the API has lost it since. */
  readonly isDoubted: boolean;
  /** Whether the last report had losses that the one before had not. */
  readonly isLosing: boolean;
  /** When the last report began, successful or not; -Infinity when there was none. */
  readonly begunMs: number;
  /** Not before this, after a failure. */
  readonly retryAtMs: number;
  /** From 0 to 1, by chance, for each report: relays that began together do not say the same again together. */
  readonly jitter: number;
}

export const nothingReported: Reported = {
  applied: undefined,
  isDoubted: false,
  isLosing: false,
  begunMs: Number.NEGATIVE_INFINITY,
  retryAtMs: Number.NEGATIVE_INFINITY,
  jitter: 0,
};

/** When the next report may begin, if `entry` is still the truth then. */
export function nextReportMs(entry: RelayEntry, reported: Reported): number {
  return Math.max(reported.begunMs + leastGapMs(entry, reported), reported.retryAtMs);
}

function leastGapMs(entry: RelayEntry, { applied, isDoubted, isLosing, jitter }: Reported): number {
  if (applied === undefined || isPrompt(entry, applied)) return paceMs.prompt;
  if (isDoubted || !isDeepStrictEqual(entry.agents, applied.agents)) return paceMs.ordinary;
  if (hasLost(entry, applied)) return isLosing ? paceMs.losing : paceMs.ordinary;
  return doubtMs.min + jitter * doubtMs.spread;
}

/** What the next report is judged by, once one of `entry` has begun. */
export function begin(entry: RelayEntry, { applied, retryAtMs }: Reported, begunMs: number, jitter: number): Reported {
  const isLosing = applied !== undefined && hasLost(entry, applied);
  return { applied: undefined, isDoubted: false, isLosing, begunMs, retryAtMs, jitter };
}

function isPrompt(a: RelayEntry, b: RelayEntry): boolean {
  return a.settings !== b.settings || a.stdout !== b.stdout || a.problem !== b.problem;
}

function hasLost(a: RelayEntry, b: RelayEntry): boolean {
  return !isDeepStrictEqual(a.loss, b.loss);
}
