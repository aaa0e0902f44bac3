import type { Random } from "./clock.ts";

export interface BackoffOptions {
  /** Upper bound of the first delay. */
  readonly initialMs: number;
  /** Upper bound of every delay. */
  readonly maxMs: number;
}

/**
 * The wait before attempt number `attempt` (0 = first retry): exponential with full jitter, so that a thousand peers
 * that lost one server come back spread over the whole interval.
 * Source of the rule: AWS Architecture Blog, "Exponential Backoff And Jitter".
 */
export function fullJitter(attempt: number, options: BackoffOptions, random: Random): number {
  // 2 ** 30 is over any sensible maximum; beyond it the power would only lose precision.
  const bound = Math.min(options.maxMs, options.initialMs * 2 ** Math.min(attempt, 30));
  return random() * bound;
}

/**
 * The wait before the next attempt to reach a peer that has been missed for `missedMs`: at most that long again, within
 * the bounds, with full jitter. Without a peer one is then at most twice as long as it was away, or `initialMs` longer.
 */
export function proportionalJitter(missedMs: number, options: BackoffOptions, random: Random): number {
  return random() * Math.min(options.maxMs, Math.max(options.initialMs, missedMs));
}
