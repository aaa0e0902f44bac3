/** A line of the operator's table. */
export interface Figure {
  readonly name: string;
  readonly required: string;
  readonly measured: string;
  readonly isMet: boolean;
}

/** Numbers that are to stay below a limit, and how they are printed. */
export interface Bound {
  readonly limit: number;
  readonly text: (value: number) => string;
}

/** The largest of `values` is judged; `measured` may say more than that one number. */
export function below(name: string, values: readonly number[], { limit, text }: Bound, measured?: string): Figure {
  const worst = Math.max(...values);
  return {
    name,
    required: `< ${text(limit)}`,
    measured: values.length === 0 ? "-" : (measured ?? text(worst)),
    // What was not seen was not met.
    isMet: values.length > 0 && worst < limit,
  };
}

export function exactly(name: string, wanted: string, measured: string): Figure {
  return { name, required: wanted, measured, isMet: measured === wanted };
}

/** Nearest rank: a value that was seen, never one between two. NaN when there are none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

export const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
export const mebibytes = (value: number) => `${value.toFixed(0)} MiB`;
export const decimals = (value: number) => value.toFixed(2).replace(/\.?0+$/, "");

/** `p50 0.05 s, worst 0.22 s`: of a few, a percentile would only be the worst under another name. */
export function spread(values: readonly number[]): string {
  return `median ${seconds(percentile(values, 50))}, worst ${seconds(percentile(values, 100))} of ${values.length}`;
}

export function figureTable(figures: readonly Figure[]): string {
  const lines = [
    ["figure", "required", "measured", ""],
    ...figures.map(({ name, required, measured, isMet }) => [name, required, measured, isMet ? "met" : "MISSED"]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const [head = "", ...rows] = lines.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [head, "-".repeat(head.length), ...rows].join("\n");
}
