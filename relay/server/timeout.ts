const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * Milliseconds of a `grpc-timeout` header, undefined if malformed: at most 8 digits and a unit.
 * Source: gRPC over HTTP/2, "Timeout".
 */
export function parseTimeout(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  const factor = unitMs[unit ?? ""];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}
