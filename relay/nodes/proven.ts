import { type BackoffOptions, fullJitter } from "../../lib/process/backoff.ts";
import type { NodeOptions } from "./node-options.ts";

/** What a stream or a connection did before it ended. */
export interface Life {
  /** How long it was of use: of a connection, since its agent answered. */
  readonly livedMs: number;
  readonly hasDelivered: boolean;
}

/**
 * Whether a stream's next wait is the first one again: it brought events, or it outlived the wait it would get otherwise,
 * so that no loop of short lives is blind for more than half of the time.
 */
export function isStreamProven({ livedMs, hasDelivered }: Life, attempt: number, reopen: BackoffOptions): boolean {
  const longestWaitMs = fullJitter(attempt, reopen, () => 1);
  return hasDelivered || livedMs >= longestWaitMs;
}

/** The same for a connection, which costs an agent more: events alone prove nothing, it must have lasted, too. */
export function isConnectionProven(
  { livedMs, hasDelivered }: Life,
  { stableMs, usefulMs }: Pick<NodeOptions, "stableMs" | "usefulMs">,
): boolean {
  return livedMs >= (hasDelivered ? usefulMs : stableMs);
}
