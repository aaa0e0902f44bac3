import { readFile } from "node:fs/promises";

/** One answered request, from the API server's audit log. */
export interface AuditedCall {
  readonly user: string;
  /** Of the token it came with: two processes of one ServiceAccount have two. */
  readonly credential: string;
  readonly verb: string;
  readonly uri: string;
  readonly code: number;
  /** When the server received it, microseconds since 1970. */
  readonly receivedUs: number;
}

interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly requestReceivedTimestamp: string;
  readonly user?: { readonly username?: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  readonly responseStatus?: { readonly code?: number };
}

const credentialKey = "authentication.kubernetes.io/credential-id";
const writingVerbs: ReadonlySet<string> = new Set(["create", "update", "patch", "delete", "deletecollection"]);

/** Whatever was answered so far, in the order in which it was received. A watch counts when it ends. */
export async function auditedCalls(auditLog: string): Promise<readonly AuditedCall[]> {
  const lines = (await readFile(auditLog, "utf8")).split("\n").filter((line) => line.endsWith("}"));
  return lines
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ stage }) => stage === "ResponseComplete")
    .map(({ user, verb, requestURI, responseStatus, requestReceivedTimestamp }) => ({
      user: user?.username ?? "",
      credential: user?.extra?.[credentialKey]?.[0] ?? "",
      verb,
      uri: requestURI,
      code: responseStatus?.code ?? 0,
      receivedUs: microseconds(requestReceivedTimestamp),
    }))
    .toSorted((a, b) => a.receivedUs - b.receivedUs);
}

function microseconds(timestamp: string): number {
  const micros = /\.(\d{6})Z$/.exec(timestamp)?.[1] ?? "0";
  return Math.floor(Date.parse(timestamp) / 1000) * 1_000_000 + Number(micros);
}

export function isWrite({ verb }: AuditedCall): boolean {
  return writingVerbs.has(verb);
}

export function isOfLease({ uri }: AuditedCall): boolean {
  return uri.includes("/leases");
}

/** Told of after the fact, and of no consequence. */
export function isOfEvent({ uri }: AuditedCall): boolean {
  return uri.includes("/events");
}

/** A write of what relays consist of, the relays themselves included. */
export function isWriteOfObject(call: AuditedCall): boolean {
  return isWrite(call) && !isOfLease(call) && !isOfEvent(call);
}
