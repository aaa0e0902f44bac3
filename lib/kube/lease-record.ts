import { microTime } from "./micro-time.ts";
import { apiVersion, leases } from "./resources.ts";
import type { KubeObject } from "./types.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/ */
export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

/** A lease and when, on the local clock, it was first seen like this. */
export interface ObservedLease {
  readonly lease: KubeObject;
  readonly sinceMs: number;
}

export function specOf(lease: KubeObject): LeaseSpec {
  return lease["spec"] ?? {};
}

/** Until when another candidate that holds the lease may be alive, on the local clock; -Infinity when none holds it. */
export function heldByOtherUntilMs(
  { lease, sinceMs }: ObservedLease,
  identity: string,
  defaultDurationMs: number,
): number {
  const { holderIdentity, leaseDurationSeconds } = specOf(lease);
  if (!holderIdentity || holderIdentity === identity) return Number.NEGATIVE_INFINITY;
  return sinceMs + (leaseDurationSeconds === undefined ? defaultDurationMs : leaseDurationSeconds * 1000);
}

/** The lease in the hands of `identity`, made from its current state so that labels and the like stay. */
export function leaseBody(
  current: KubeObject | undefined,
  wanted: {
    readonly namespace: string;
    readonly name: string;
    readonly identity: string;
    readonly durationMs: number;
    readonly nowMs: number;
  },
): KubeObject {
  const before = current === undefined ? {} : specOf(current);
  const now = microTime(wanted.nowMs);
  const isRenewal = before.holderIdentity === wanted.identity;
  const transitions = before.leaseTransitions ?? 0;
  const spec: LeaseSpec = {
    ...before,
    holderIdentity: wanted.identity,
    leaseDurationSeconds: Math.ceil(wanted.durationMs / 1000),
    acquireTime: isRenewal ? (before.acquireTime ?? now) : now,
    renewTime: now,
    leaseTransitions: current === undefined || isRenewal ? transitions : transitions + 1,
  };
  if (current !== undefined) return { ...current, spec };
  const metadata = { namespace: wanted.namespace, name: wanted.name };
  return { apiVersion: apiVersion(leases), kind: leases.kind, metadata, spec };
}

/** The lease in nobody's hands. One second, because the API refuses a duration of zero. */
export function releasedBody(lease: KubeObject, nowMs: number): KubeObject {
  const spec: LeaseSpec = {
    ...specOf(lease),
    holderIdentity: "",
    leaseDurationSeconds: 1,
    renewTime: microTime(nowMs),
  };
  return { ...lease, spec };
}
