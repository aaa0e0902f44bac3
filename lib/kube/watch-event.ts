import { ApiError } from "./errors.ts";
import type { ApiErrorContext, Status } from "./errors.ts";
import type { KubeObject } from "./types.ts";

export type WatchEvent =
  | { readonly kind: "added" | "modified" | "deleted"; readonly object: KubeObject; readonly resourceVersion: string }
  /** Nothing changed up to this version. */
  | { readonly kind: "bookmark"; readonly resourceVersion: string }
  | { readonly kind: "error"; readonly error: ApiError };

/** What a server that speaks the watch protocol would not have sent. */
export class MalformedEventError extends Error {
  override readonly name = "MalformedEventError";
}

const kinds: Readonly<Record<string, "added" | "modified" | "deleted" | "bookmark">> = {
  ADDED: "added",
  MODIFIED: "modified",
  DELETED: "deleted",
  BOOKMARK: "bookmark",
};

/**
 * One line of a watch. https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 * @throws MalformedEventError
 */
export function parseWatchEvent(line: string, expectedKind: string, context: ApiErrorContext): WatchEvent {
  const { type, object } = parseLine(line);
  if (typeof object !== "object" || object === null)
    throw new MalformedEventError(`Watch event "${type}" has no object`);
  if (type === "ERROR") {
    const status = object as Status;
    return { kind: "error", error: new ApiError(status.code ?? 500, status, context) };
  }
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (kind === undefined) throw new MalformedEventError(`Watch event has the unknown type "${type}"`);
  const known = object as Partial<KubeObject>;
  const resourceVersion = known.metadata?.resourceVersion;
  if (typeof resourceVersion !== "string" || resourceVersion === "") {
    throw new MalformedEventError(`Watch event "${type}" has no resourceVersion`);
  }
  if (known.kind !== expectedKind) {
    throw new MalformedEventError(`Watch event "${type}" is of kind "${known.kind}", expected "${expectedKind}"`);
  }
  if (kind === "bookmark") return { kind, resourceVersion };
  if (typeof known.metadata?.name !== "string") throw new MalformedEventError(`Watch event "${type}" has no name`);
  return { kind, object: known as KubeObject, resourceVersion };
}

function parseLine(line: string): { readonly type: string; readonly object: unknown } {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch (cause) {
    throw new MalformedEventError(`Cannot decode a watch event of ${line.length} characters`, { cause });
  }
  const { type, object } = (event ?? {}) as { readonly type?: unknown; readonly object?: unknown };
  if (typeof type !== "string") throw new MalformedEventError("Watch event has no type");
  return { type, object };
}
