/** What a relay says about the events it had. */
export interface Accounts {
  /** Offered to subscribers or stdout and not delivered. */
  readonly dropped: number;
  /** Events that no counter of its holds; undefined = it does not say. */
  readonly unaccounted: number | undefined;
}

const done = new Set(["delivered", "printed"]);

/** Reads Prometheus' text format of this project's relay. */
export function readAccounts(metrics: string): Accounts {
  let dropped = 0;
  for (const [, outcome = "", value] of metrics.matchAll(
    /^kubearmor_relay_(?:subscriber|stdout)_events_total\{.*outcome="(\w+)".*\} (\S+)$/gmu,
  )) {
    if (!done.has(outcome)) dropped += Number(value);
  }
  // Per hop, below 0 where something was counted twice: the two must not cancel out.
  const gaps = Array.from(metrics.matchAll(/^kubearmor_relay_unaccounted_events(?:\{.*\})? (\S+)$/gmu), ([, value]) =>
    Math.abs(Number(value)),
  );
  return { dropped, unaccounted: gaps.length === 0 ? undefined : gaps.reduce((sum, gap) => sum + gap, 0) };
}
