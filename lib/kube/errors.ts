/** What the API answers instead of an object. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
export interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: StatusDetails;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  /** Path of the refused field, for instance `spec.selector`. */
  readonly field?: string;
}

/** What was asked when the server refused. */
export interface ApiErrorContext {
  /** As RBAC names it: get, list, watch, create, update, patch, apply, delete; or the HTTP method of a raw request. */
  readonly verb: string;
  /** Plural name with group, for instance `deployments.apps`; or the path of a raw request. */
  readonly resource: string;
  readonly objectName?: string | undefined;
}

/** An answer of the API server that is not a success. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: number;
  /** CamelCase word of the server, for instance `NotFound`; empty when it gave none. */
  readonly reason: string;
  readonly details: StatusDetails;
  /** The server's wish, from the Retry-After header or the Status. */
  readonly retryAfterMs: number | undefined;
  readonly verb: string;
  readonly resource: string;
  readonly objectName: string | undefined;

  constructor(code: number, status: Status, context: ApiErrorContext, retryAfterMs?: number) {
    const object = context.objectName === undefined ? "" : ` "${context.objectName}"`;
    const said = status.message ?? status.reason ?? "no reason given";
    super(`Cannot ${context.verb} ${context.resource}${object}: server answered ${code}: ${said}`);
    this.code = code;
    this.reason = status.reason ?? "";
    this.details = status.details ?? {};
    const seconds = this.details.retryAfterSeconds;
    this.retryAfterMs = retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1000);
    this.verb = context.verb;
    this.resource = context.resource;
    this.objectName = context.objectName;
  }
}

function hasCode(error: unknown, code: number): error is ApiError {
  return error instanceof ApiError && error.code === code;
}

function hasCause(error: ApiError, reason: string): boolean {
  return error.details.causes?.some((cause) => cause.reason === reason) ?? false;
}

export function isNotFound(error: unknown): error is ApiError {
  return hasCode(error, 404);
}

/** Somebody else changed the object first (optimistic locking), or owns a field that an unforced apply wanted. */
export function isConflict(error: unknown): error is ApiError {
  return hasCode(error, 409) && error.reason !== "AlreadyExists";
}

export function isAlreadyExists(error: unknown): error is ApiError {
  return hasCode(error, 409) && error.reason === "AlreadyExists";
}

export function isUnauthorized(error: unknown): error is ApiError {
  return hasCode(error, 401);
}

/** Refused by RBAC or by admission; a namespace that is going away is told apart by `isNamespaceTerminating`. */
export function isForbidden(error: unknown): error is ApiError {
  return hasCode(error, 403);
}

/** The namespace is being deleted and takes no new objects: nothing is left to be done in it. */
export function isNamespaceTerminating(error: unknown): error is ApiError {
  return isForbidden(error) && hasCause(error, "NamespaceTerminating");
}

/** The resourceVersion or continue token is older than what the server still remembers: list again. */
export function isExpired(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.code === 410 || error.reason === "Expired" || error.reason === "Gone");
}

/** The server has not seen this resourceVersion yet, for instance after a restore of its database. */
export function isResourceVersionTooLarge(error: unknown): error is ApiError {
  return (
    error instanceof ApiError &&
    error.code === 504 &&
    (hasCause(error, "ResourceVersionTooLarge") || error.message.includes("Too large resource version"))
  );
}

/** The object itself is wrong, so the same request can never succeed. */
export function isInvalid(error: unknown): error is ApiError {
  return hasCode(error, 422) || hasCode(error, 400) || isUntypeable(error);
}

/**
 * What server-side apply says to a field that the schema lacks, to two list items with one key, and to what is stored of such
 * a kind: no merge can make sense of it.
 */
export function isUntypeable(error: unknown): error is ApiError {
  return hasCode(error, 500) && /failed to create typed \w+ object|duplicate entries for key/.test(error.message);
}
