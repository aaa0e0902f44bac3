import { isForbidden, isInvalid, isNamespaceTerminating } from "../../lib/kube/errors.ts";
import { errorText } from "../../lib/process/log.ts";
import type { Reason } from "./reasons.ts";

/** What became of bringing the objects to what the spec wants. */
export type WriteResult =
  | { readonly kind: "applied" }
  | { readonly kind: "not-attempted" }
  | { readonly kind: "suspended"; readonly different: readonly string[] }
  /** Objects in the way: not ours, or ours and being deleted. */
  | {
      readonly kind: "blocked";
      readonly reason: Extract<Reason, "NameConflict" | "Conflict" | "AwaitingDeletion">;
      readonly message: string;
    }
  | WriteFailure;

export interface WriteFailure {
  readonly kind: "failed";
  readonly reason: Extract<
    Reason,
    "PermissionDenied" | "QuotaExceeded" | "NamespaceTerminating" | "Rejected" | "ApplyFailed"
  >;
  readonly message: string;
  /** False when the same request would be refused again: only a change elsewhere can help. */
  readonly isRetryable: boolean;
}

/** Which of the known ways a write failed. */
export function writeFailure(error: unknown): WriteFailure {
  const message = errorText(error);
  const refused = (reason: WriteFailure["reason"]): WriteFailure => ({
    kind: "failed",
    reason,
    message,
    isRetryable: false,
  });
  if (isNamespaceTerminating(error)) return refused("NamespaceTerminating");
  if (isForbidden(error)) {
    if (/exceeded quota/.test(error.message)) return refused("QuotaExceeded");
    // Said by RBAC for a request, and for a role that would grant more than the operator itself holds.
    const byRbac = /cannot \w+ resource|attempting to grant RBAC permissions/.test(error.message);
    return refused(byRbac ? "PermissionDenied" : "Rejected");
  }
  if (isInvalid(error)) return refused("Rejected");
  return { kind: "failed", reason: "ApplyFailed", message, isRetryable: true };
}
