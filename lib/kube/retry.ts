import type { Random } from "../process/clock.ts";
import { ApiError } from "./errors.ts";

const maxRetries = 3;
/** A longer wait is the caller's to plan: it finds it in `ApiError.retryAfterMs`. */
const maxWaitMs = 10_000;

/**
 * Whether to send a refused request again, and after how long: only when the server asked for it (429 or 503 with
 * Retry-After), and only what may be done twice. A fifth is added by chance, so that those who were refused together
 * do not come back together.
 * @param attempt 0 for the first refusal
 */
export function retryWaitMs(error: unknown, attempt: number, idempotent: boolean, random: Random): number | undefined {
  if (!idempotent || attempt >= maxRetries) return undefined;
  if (!(error instanceof ApiError) || (error.code !== 429 && error.code !== 503)) return undefined;
  if (error.retryAfterMs === undefined || error.retryAfterMs > maxWaitMs) return undefined;
  return error.retryAfterMs * (1 + random() / 5);
}

/** Retry-After in seconds or as a date. https://www.rfc-editor.org/rfc/rfc9110#name-retry-after */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
