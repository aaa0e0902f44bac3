import type { ObjectReference } from "../../lib/kube/event-body.ts";
import type { Condition, RelayStatus } from "../api/relay.ts";

/** Something worth an Event: a state was entered. */
export interface Transition {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly note: string;
  /** Another object that it is about, besides the relay. */
  readonly related?: ObjectReference;
}

/** What changed from one status to the next, one Event at most for each condition; the same state again is none. */
export function transitionsOf(before: RelayStatus, after: RelayStatus): readonly Transition[] {
  const conditions = after.conditions ?? [];
  const out: Transition[] = [];
  for (const now of conditions) {
    const level = levelOf(now);
    if (level === undefined) continue;
    const earlier = before.conditions?.find((each) => each.type === now.type);
    const isNew = earlier?.status !== now.status || (level === "Warning" && earlier.reason !== now.reason);
    if (isNew) out.push({ type: level, reason: now.reason, note: now.message === "" ? now.reason : now.message });
  }
  return out;
}

/** Undefined for states that are no news by themselves: Ready and Stalled repeat what another condition says. */
function levelOf({ type, status, reason }: Condition): Transition["type"] | undefined {
  if (type === "Accepted" && reason === "Unwise") return "Warning";
  if (type === "Ready" && status === "True") return "Normal";
  if ((type === "Degraded" || type === "Contended") && status === "True") return "Warning";
  if ((type === "Accepted" || type === "Applied") && status === "False") return "Warning";
  return undefined;
}
