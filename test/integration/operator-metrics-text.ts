import type { Operator } from "../../operator/operator.ts";

/** Every series of an operator, by name and labels as they are printed. */
export type Samples = ReadonlyMap<string, number>;

export async function readMetrics(operator: Pick<Operator, "httpPort">): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${operator.httpPort}/metrics`);
  return await response.text();
}

export function parseSamples(text: string): Samples {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

/** Of all series of this name whose labels contain the text. */
export async function sumOf(operator: Pick<Operator, "httpPort">, name: string, labels = ""): Promise<number> {
  const samples = parseSamples(await readMetrics(operator));
  return [...samples]
    .filter(([series]) => series.split("{")[0] === name && series.includes(labels))
    .reduce((sum, [, value]) => sum + value, 0);
}

/** What readyz says: empty = ready. */
export async function readyProblems(operator: Pick<Operator, "httpPort">): Promise<readonly string[]> {
  const response = await fetch(`http://127.0.0.1:${operator.httpPort}/readyz`);
  const text = await response.text();
  return response.status === 200 ? [] : text.trim().split("\n");
}
