import type { FramingFault } from "../wire/frame-cutter.ts";

/**
 * Why a stream of an agent ended unasked. `status`: the agent ended it; `refused`: the agent does not serve it; `reset`: it
 * ended without a status; `connection-lost`: its connection did; the rest: its bytes could not be read on.
 */
export const streamEndReasons = [
  "status",
  "refused",
  "reset",
  "connection-lost",
  "compressed",
  "too-large",
  "truncated",
] as const satisfies readonly (FramingFault | "status" | "refused" | "reset" | "connection-lost")[];

export type StreamEndReason = (typeof streamEndReasons)[number];

export type StreamEndCounts = Readonly<Record<StreamEndReason, number>>;

export function noStreamEnds(): Record<StreamEndReason, number> {
  return { status: 0, refused: 0, reset: 0, "connection-lost": 0, compressed: 0, "too-large": 0, truncated: 0 };
}
