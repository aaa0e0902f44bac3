import { ApiError, isExpired, isForbidden, isUnauthorized } from "./errors.ts";
import type { WatchFailure } from "./types.ts";
import { MalformedEventError } from "./watch-event.ts";

/** Why a list or a watch failed, in few words: a metric label. */
export function classifyFailure(error: unknown): WatchFailure {
  if (isExpired(error)) return "expired";
  if (isForbidden(error)) return "forbidden";
  if (isUnauthorized(error)) return "unauthorized";
  if (error instanceof ApiError) return "server-error";
  if (error instanceof MalformedEventError || error instanceof RangeError) return "malformed";
  return "unreachable";
}
