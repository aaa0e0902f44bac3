import { type FieldDifference, applyDifferences } from "../../lib/kube/apply.ts";
import { referenceTo } from "../../lib/kube/event-body.ts";
import type { ManagedFieldsEntry, ObjectMeta } from "../../lib/kube/types.ts";
import type { Relay } from "../api/relay.ts";
import type { Repair } from "./contention.ts";
import { placeText } from "./place-text.ts";
import { type PlannedWrite, objectText } from "./plan.ts";
import type { Reason } from "./reasons.ts";
import type { Transition } from "./transitions.ts";

/** Fields named in one Event; the rest is counted. */
const maxPaths = 3;

/** A write that put back what somebody else did. */
export interface Drift {
  readonly write: PlannedWrite;
  readonly transition: Transition;
}

/** What is told of an object that was taken over. */
export function adoptionOf({ desired, live }: PlannedWrite): Transition {
  const managers = live?.metadata.managedFields?.filter(({ subresource }) => subresource === undefined) ?? [];
  const who = [...new Set(managers.map(({ manager = "somebody" }) => manager))].toSorted().join(", ");
  // An object without fields, such as most ServiceAccounts, has no record of who made it.
  const note = `Took over ${objectText(desired)}, which was written by ${who === "" ? "somebody" : who}`;
  return { type: "Normal", reason: "Adopted", note, ...(live === undefined ? {} : { related: referenceTo(live) }) };
}

/** Which of the writes put back what somebody else did, and did not follow from a change of the spec. */
export function driftOf(relay: Relay, writes: readonly PlannedWrite[], fieldManager: string): readonly Drift[] {
  if (!isSettled(relay)) return [];
  return writes.flatMap((write) => {
    const seen = seenIn(write, placeText(write.desired, relay.metadata.namespace), fieldManager);
    if (seen === undefined) return [];
    const related = write.live === undefined ? {} : { related: referenceTo(write.live) };
    return [{ transition: { type: "Warning", reason: "DriftRepaired", note: seen.note, ...related }, write }];
  });
}

/** Whether all was as the present spec wants it, or would be but for others: what differs is somebody else's doing. */
export function isSettled({ metadata, status }: Relay): boolean {
  const applied = status.conditions?.find((condition) => condition.type === "Applied");
  const isSo = applied?.status === "True" || applied?.reason === ("Contended" satisfies Reason);
  return isSo && applied.observedGeneration === metadata.generation;
}

/** What a write put back, if it was not the first one that the spec asks for. */
export function repairOf(write: PlannedWrite, fieldManager: string): Repair | undefined {
  return seenIn(write, objectText(write.desired), fieldManager)?.repair;
}

interface Seen {
  readonly note: string;
  readonly repair: Repair;
}

function seenIn({ desired, live, adopts = false }: PlannedWrite, name: string, fieldManager: string): Seen | undefined {
  if (adopts) return undefined;
  if (live === undefined) return { note: `Made ${name} anew: it was gone`, repair: { kind: "deleted" } };
  const who = changedBy(live.metadata, fieldManager);
  if (who === undefined) return undefined;
  const paths = driftedPaths(applyDifferences(live, desired.object, fieldManager));
  if (paths.length === 0) return undefined;
  const more = paths.length > maxPaths ? ` and ${paths.length - maxPaths} more` : "";
  const named = paths.slice(0, maxPaths);
  const note = `Put back ${name}: ${named.join(", ")}${more}, after a write by ${who}`;
  return { note, repair: { kind: "written", by: who, paths: named } };
}

/**
 * What others took or removed. A field of ours whose value is another one, or that is no longer wanted, is the doing of
 * another version or configuration of this operator; it then may want new fields, too, and what is missing tells nothing.
 */
function driftedPaths(differences: readonly FieldDifference[]): readonly string[] {
  const isNewWish = differences.some(({ kind }) => kind === "changed" || kind === "surplus");
  return differences
    .filter(({ kind }) => kind === "unowned" || (kind === "missing" && !isNewWish))
    .map(({ path }) => path);
}

/** Who wrote the object last, unless it was us. Reports of controllers in its status do not count; `kubectl scale` does. */
function changedBy({ managedFields = [] }: ObjectMeta, fieldManager: string): string | undefined {
  const ours = managedFields.find((entry) => entry.manager === fieldManager && entry.subresource === undefined);
  const others = managedFields
    .filter((entry) => entry.manager !== fieldManager && entry.subresource !== "status")
    .toSorted((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1));
  const [last] = others;
  return last !== undefined && timeOf(last) >= (ours?.time ?? "") ? (last.manager ?? "somebody") : undefined;
}

/** An apply to the scale subresource is recorded without a time, and its record goes when we take the field back. */
function timeOf({ time = "9999" }: ManagedFieldsEntry): string {
  return time;
}
