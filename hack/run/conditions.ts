/** A condition as Kubernetes objects carry it in status.conditions. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** What a custom resource says about itself, as far as it is shown. */
export interface Observed {
  readonly generation: number;
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
}

export function parseObserved(json: string): Observed {
  const object = JSON.parse(json) as {
    metadata: { generation: number };
    status?: { observedGeneration?: number; conditions?: readonly Condition[] };
  };
  return {
    generation: object.metadata.generation,
    observedGeneration: object.status?.observedGeneration ?? -1,
    conditions: object.status?.conditions ?? [],
  };
}

/** Conditions that are new or say something else than before, as lines. */
export function changedConditions(before: readonly Condition[], now: readonly Condition[]): string[] {
  const known = new Set(before.map(lineOf));
  return now.map(lineOf).filter((line) => !known.has(line));
}

function lineOf({ type, status, reason, message }: Condition): string {
  return `${type}=${status} ${reason}${message === "" ? "" : `: ${message}`}`;
}

/** Ready, and by what the newest spec asks for. */
export function isReady({ generation, observedGeneration, conditions }: Observed): boolean {
  return (
    observedGeneration >= generation && conditions.some(({ type, status }) => type === "Ready" && status === "True")
  );
}
