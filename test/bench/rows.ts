/** One load: agents, subscribers that each get everything, events a second of all agents together. */
export interface Row {
  readonly agents: number;
  readonly subscribers: number;
  /** `max`: as fast as the relay takes them from the agents. */
  readonly rate: number | "max";
  /** So many events at that rate, once, after a quiet warm-up; undefined = all the time. */
  readonly burst?: number;
}

export const defaultRows: readonly Row[] = [
  [1, 1],
  [1, 10],
  [50, 10],
].flatMap(([agents = 1, subscribers = 1]) => [5_000, 20_000, 50_000].map((rate) => ({ agents, subscribers, rate })));

/**
 * Reads `50>10@20k`: 50 agents, 10 subscribers, 20,000 events/s; `10>1@max` for no limit;
 * `1>1@100k*5000` for 5,000 events at that rate, once.
 *
 * @throws {RangeError} for anything else
 */
export function parseRow(text: string): Row {
  const match = /^(\d+)(?:>|→|->)(\d+)@(?:(\d+(?:\.\d+)?)(k?)|(max))(?:[*×](\d+))?$/u.exec(text.trim());
  const [, agents, subscribers, amount, kilo, max, burst] = match ?? [];
  const row: Row = {
    agents: Number(agents),
    subscribers: Number(subscribers),
    rate: max === undefined ? Number(amount) * (kilo === "k" ? 1000 : 1) : "max",
    ...(burst === undefined ? {} : { burst: Number(burst) }),
  };
  // An agent's id has four hexadecimal digits; its address is one of 10.201.0.0/16.
  if (
    match === null ||
    !within(row.agents, 60_000) ||
    !within(row.subscribers, 5_000) ||
    row.rate === 0 ||
    (burst !== undefined && row.rate === "max")
  ) {
    throw new RangeError(
      `Cannot read the row '${text}': AGENTS>SUBSCRIBERS@RATE is wanted, such as 50>10@20k or 1>1@max`,
    );
  }
  return row;
}

function within(value: number, max: number): boolean {
  return value >= 1 && value <= max;
}

export function rowName(row: Row): string {
  const rate = row.rate === "max" || row.rate % 1000 !== 0 ? String(row.rate) : `${row.rate / 1000}k`;
  const burst = row.burst === undefined ? "" : `×${row.burst}`;
  return `${row.agents}→${row.subscribers} @${rate}${burst}`;
}
