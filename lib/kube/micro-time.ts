/** Time as Lease and Event want it: RFC 3339 with six digits. Ours are milliseconds, so the last three are zero. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace("Z", "000Z");
}
