/** One request of a user, from an API server's audit log at level Metadata. */
export interface AuditedRequest {
  readonly id: string;
  readonly verb: string;
  /** `deployments.apps`, `kubearmorrelays.operator.kubearmor.com/status`. */
  readonly resource: string;
  readonly code: number;
  /** When it arrived, milliseconds since 1970. */
  readonly atMs: number;
}

interface AuditEvent {
  readonly auditID: string;
  readonly verb: string;
  readonly requestReceivedTimestamp: string;
  readonly user?: { readonly username?: string };
  readonly objectRef?: { readonly resource?: string; readonly apiGroup?: string; readonly subresource?: string };
  readonly requestURI: string;
  readonly responseStatus?: { readonly code?: number };
}

/** Every request of this user, oldest first. A watch is logged at its begin and at its end, and is one request. */
export function auditedRequests(log: string, user: string): readonly AuditedRequest[] {
  const found = new Map<string, AuditedRequest>();
  for (const line of log.split("\n")) {
    if (!line.includes(user)) continue;
    const event = JSON.parse(line) as AuditEvent;
    if (event.user?.username !== user) continue;
    found.set(event.auditID, {
      id: event.auditID,
      verb: event.verb,
      resource: resourceOf(event),
      code: event.responseStatus?.code ?? 0,
      atMs: Date.parse(event.requestReceivedTimestamp),
    });
  }
  return [...found.values()].toSorted((a, b) => a.atMs - b.atMs);
}

function resourceOf({ objectRef, requestURI }: AuditEvent): string {
  if (objectRef?.resource === undefined) return requestURI;
  const group = objectRef.apiGroup === undefined ? "" : `.${objectRef.apiGroup}`;
  const subresource = objectRef.subresource === undefined ? "" : `/${objectRef.subresource}`;
  return `${objectRef.resource}${group}${subresource}`;
}

const writingVerbs: ReadonlySet<string> = new Set(["create", "update", "patch", "delete", "deletecollection"]);

export function isWrite({ verb }: AuditedRequest): boolean {
  return writingVerbs.has(verb);
}

/** Of the operator's own election, which goes on whatever there is to do. */
export function isOfLease({ resource }: AuditedRequest): boolean {
  return resource === "leases.coordination.k8s.io";
}

/** How often each kind of request was made, the most frequent first: `patch deployments.apps 200`. */
export function tally(
  requests: readonly AuditedRequest[],
): readonly { readonly what: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const { verb, resource, code } of requests) {
    const what = code < 400 ? `${verb} ${resource}` : `${verb} ${resource} ${code}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].map(([what, count]) => ({ what, count })).toSorted((a, b) => b.count - a.count);
}
