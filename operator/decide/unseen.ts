import { resourceName } from "../../lib/kube/paths.ts";
import type { Resource } from "../../lib/kube/types.ts";
import type { WriteResult } from "./write-result.ts";

/** A kind that the operator may not follow, so that it does not hear of changes. */
export interface Unseen {
  readonly resource: Resource;
  /** The server's refusal: it names the verb, the resource and where. */
  readonly message: string;
}

/** What was written may be wrong by the next moment where nobody hears of it: that is not called applied. */
export function withUnseen(result: WriteResult, unseen: readonly Unseen[]): WriteResult {
  if (result.kind !== "applied" || unseen.length === 0) return result;
  return { kind: "failed", reason: "PermissionDenied", message: unseenText(unseen), isRetryable: false };
}

export function unseenText(unseen: readonly Unseen[]): string {
  const texts = unseen.map(
    ({ resource, message }) => `Changes of ${resourceName(resource)} are not heard of: ${message}`,
  );
  return [...new Set(texts)].toSorted().join("; ");
}
