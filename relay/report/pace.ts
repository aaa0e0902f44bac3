import { isDeepStrictEqual } from "node:util";
import type { RelayEntry } from "./entry.ts";

/** Least times between the beginnings of two reports. */
export const paceMs = {
  /** For what somebody waits for: which settings are in force, and what is wrong. */
  prompt: 1_000,
  /** For what only counts. */
  ordinary: 10_000,
} as const;

/** What has been said so far. Times are those of the monotonic clock. */
export interface Reported {
  /** What the API is known to have; undefined when that is not known: at the start, and after a report that failed. */
  readonly applied: RelayEntry | undefined;
  /** Whether the API may have lost it since. */
  readonly isDoubted: boolean;
  /** When the last report began, successful or not; -Infinity when there was none. */
  readonly begunMs: number;
  /** Not before this, after a failure. */
  readonly retryAtMs: number;
}

export const nothingReported: Reported = {
  applied: undefined,
  isDoubted: false,
  begunMs: Number.NEGATIVE_INFINITY,
  retryAtMs: Number.NEGATIVE_INFINITY,
};

/** When the next report may begin, if `entry` is still the truth then; undefined = there is nothing to say. */
export function nextReportMs(entry: RelayEntry, reported: Reported): number | undefined {
  const gapMs = leastGapMs(entry, reported);
  return gapMs === undefined ? undefined : Math.max(reported.begunMs + gapMs, reported.retryAtMs);
}

function leastGapMs(entry: RelayEntry, { applied, isDoubted }: Reported): number | undefined {
  if (applied === undefined || isPrompt(entry, applied)) return paceMs.prompt;
  return isDoubted || !isDeepStrictEqual(entry, applied) ? paceMs.ordinary : undefined;
}

function isPrompt(a: RelayEntry, b: RelayEntry): boolean {
  return a.settings !== b.settings || a.stdout !== b.stdout || a.problem !== b.problem;
}
