/**
 * Writes one sample of a metric.
 * @param labels as `labelText` makes them; empty = none
 */
export type Emit = (labels: string, value: number) => void;

export interface MetricFamily {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
}

/**
 * Metrics in Prometheus' text format 0.0.4. A string is all it makes: with thousands of series, objects for each would hold
 * the event loop for long. https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export class Exposition {
  #text = "";

  /** A family without samples is left out. */
  add({ name, type, help }: MetricFamily, sample: (emit: Emit) => void): void {
    let lines = "";
    sample((labels, value) => {
      lines += labels === "" ? `${name} ${numberText(value)}\n` : `${name}{${labels}} ${numberText(value)}\n`;
    });
    if (lines === "") return;
    this.#text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines}`;
  }

  toString(): string {
    return this.#text;
  }
}

/** `feed="alerts",node="a"`, to be made once for labels that are used again and again. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(",");
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
