import {
  ApiError,
  isConflict,
  isForbidden,
  isInvalid,
  isNamespaceTerminating,
  isNotFound,
  isUntypeable,
} from "../../lib/kube/errors.ts";
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

/** What could not be written, or not yet. */
export interface WriteFailure {
  readonly kind: "failed";
  readonly reason: Extract<
    Reason,
    | "Adopting"
    | "PermissionDenied"
    | "QuotaExceeded"
    | "NamespaceTerminating"
    | "NamespaceNotFound"
    | "Rejected"
    | "ApplyFailed"
  >;
  readonly message: string;
  /** False when the same request would be refused again: only a change elsewhere can help, and waiting does not. */
  readonly isRetryable: boolean;
}

/** Which of the known ways a write failed. */
export function writeFailure(error: unknown): WriteFailure {
  const message = errorText(error);
  const refused = (reason: WriteFailure["reason"], hint = ""): WriteFailure => ({
    kind: "failed",
    reason,
    message: message + hint,
    isRetryable: false,
  });
  if (isDenied(error)) return refused("Rejected");
  if (isNamespaceTerminating(error)) return refused("NamespaceTerminating");
  if (isNamespaceMissing(error)) return refused("NamespaceNotFound");
  if (isForbidden(error)) {
    if (/exceeded quota/.test(error.message)) return refused("QuotaExceeded");
    return refused(isForWantOfRights(error) ? "PermissionDenied" : "Rejected");
  }
  if (isTooLarge(error))
    return refused("Rejected", ". The object is larger than the cluster stores: make the spec smaller");
  if (isInvalid(error) || isUntypeable(error)) return refused("Rejected");
  return { kind: "failed", reason: "ApplyFailed", message, isRetryable: true };
}

/** What to tell of several writes that failed: the most telling, or all namespaces that are missing. */
export function failureOf(errors: readonly unknown[]): WriteFailure {
  const failure = writeFailure(tellingError(errors));
  if (failure.reason !== "NamespaceNotFound") return failure;
  const names = new Set(errors.filter(isNamespaceMissing).map(({ details }) => details.name ?? ""));
  const message = `Not found: namespace ${[...names].toSorted().join(", ")}; everything else is written. Create it, or take it out of spec.agents.namespaces`;
  return { ...failure, message };
}

/**
 * The one of several errors that is told: what waiting does not cure goes before what was decided anew anyway, and a namespace
 * that is missing, which may be meant, comes last of all refusals.
 */
export function tellingError(errors: readonly unknown[]): unknown {
  return errors.toSorted((a, b) => rankOf(a) - rankOf(b))[0];
}

function rankOf(error: unknown): number {
  if (isStale(error)) return 2;
  return isNamespaceMissing(error) ? 1 : 0;
}

/** What was decided upon has changed meanwhile: to be decided anew, and no news. */
export function isStale(error: unknown): boolean {
  return isConflict(error) && !isDenied(error);
}

/** By a webhook, which may choose any code, or by a policy. */
function isDenied(error: unknown): error is ApiError {
  return error instanceof ApiError && / denied (the )?request\b/.test(error.message);
}

/** Of the object: a write into a namespace that is not there. */
function isNamespaceMissing(error: unknown): error is ApiError {
  return isNotFound(error) && error.details.kind === "namespaces";
}

/**
 * Said by RBAC for a request, and for a role that would grant more than the operator itself holds; and by
 * OwnerReferencesPermissionEnforcement for an owner whose finalizers it may not set.
 */
function isForWantOfRights({ message }: ApiError): boolean {
  return /cannot \w+ resource|attempting to grant RBAC permissions|cannot set (blockOwnerDeletion|an ownerRef)/.test(
    message,
  );
}

/** By the server's limit of a request, by etcd's, or by that of the server's way to etcd. */
function isTooLarge(error: unknown): error is ApiError {
  if (!(error instanceof ApiError)) return false;
  return error.code === 413 || /request is too large|send message larger than max/.test(error.message);
}
