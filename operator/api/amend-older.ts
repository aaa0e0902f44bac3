import { parseQuantity } from "../../lib/kube/quantity.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import type { Violation } from "./schema.ts";

/** Limits of which an earlier CRD allowed more: what it allowed, and what the relay takes instead. */
const older = {
  maxSubscribers: { types: ["number"], from: "4001", to: "10000", instead: 4_000 },
  bufferBytes: { types: ["number", "string"], from: "1Mi", to: "16777215", instead: "16Mi" },
} as const satisfies Record<string, Bounds & { readonly instead: unknown }>;

interface Bounds {
  readonly types: readonly string[];
  readonly from: string;
  readonly to: string;
}

export interface Amended {
  readonly amended: KubeObject;
  readonly warnings: readonly Violation[];
}

/**
 * The object with the nearest limits that the relay can act upon in place of those that only an earlier CRD allowed: the
 * relay refuses its settings as a whole for one of them, and would never again follow any change.
 */
export function amendOlder(object: KubeObject): Amended {
  const spec = recordOf(object["spec"]);
  const limits = recordOf(spec?.["limits"]);
  if (limits === undefined) return { amended: object, warnings: [] };
  const found = Object.entries(older).filter(([name, bounds]) => isWithin(limits[name], bounds));
  if (found.length === 0) return { amended: object, warnings: [] };
  const changes = Object.fromEntries(found.map(([name, { instead }]) => [name, instead]));
  return {
    amended: { ...object, spec: { ...spec, limits: { ...limits, ...changes } } },
    warnings: found.map(([name, { instead }]) => ({
      path: `spec.limits.${name}`,
      message: `is ${JSON.stringify(limits[name])}, which an earlier CRD allowed; ${instead} is in force`,
    })),
  };
}

function isWithin(value: unknown, { types, from, to }: Bounds): boolean {
  const [number, least = 0n, most = 0n] = [value, from, to].map(parseQuantity);
  return (
    types.includes(typeof value) &&
    number !== undefined &&
    number % 1_000_000_000n === 0n &&
    number >= least &&
    number <= most
  );
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  return isRecord ? (value as Record<string, unknown>) : undefined;
}
