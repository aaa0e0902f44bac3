/** One load: agents, subscribers that each get everything, events a second of all agents together. */
export interface Row {
  readonly agents: number;
  /** 0 where the relay's stdout is what is read. */
  readonly subscribers: number;
  /** `max`: as fast as the relay takes them from the agents. */
  readonly rate: number | "max";
  /** What is not even about it; undefined = nothing. */
  readonly twist?: Twist;
}

export type Twist =
  /** So many events at that rate, once, after a quiet warm-up. */
  | { readonly kind: "burst"; readonly events: number }
  /** The agents vanish for so long, and come back. */
  | { readonly kind: "outage"; readonly downMs: number }
  /** All subscribers but one read slowly or not at all. */
  | { readonly kind: "overload" };

/** The relay prints what the agents send. */
export function isStdout(row: Row): boolean {
  return row.subscribers === 0;
}

const grammar =
  /^(?<agents>\d+)(?:>|→|->)(?<to>\d+|stdout)@(?:(?<amount>\d+(?:\.\d+)?)(?<kilo>k?)|max)(?:[*×](?<burst>\d+)|~(?<down>\d+)ms|(?<overload>!))?$/u;

/** The loads that this project promises something for, see requirements.ts. */
export const defaultRows: readonly Row[] = [
  "1>1@20k",
  "1>1@60k",
  "100>5@10k",
  "1>10@5k",
  "1>10@20k",
  "50>10@50k",
  "10>1@max",
  "1>stdout@20k",
  "10>stdout@max",
  "1>1@100k*5000",
  "1>1@1k~500ms",
  "500>50@500",
  "500>50@10k!",
].map(parseRow);

/**
 * Reads `50>10@20k`: 50 agents, 10 subscribers, 20,000 events/s; `10>1@max` for no limit, `10>stdout@20k` for what is
 * printed, `1>1@100k*5000` for 5,000 events at that rate, once, `1>1@1k~500ms` for agents that are down for 500 ms,
 * `500>50@10k!` for 49 subscribers that are too slow beside one that is not.
 *
 * @throws {RangeError} for anything else
 */
export function parseRow(text: string): Row {
  const groups = grammar.exec(text.trim())?.groups;
  if (groups === undefined) throw unreadable(text);
  const { agents, to, amount, kilo, burst, down, overload } = groups;
  const twist: Twist | undefined =
    burst !== undefined
      ? { kind: "burst", events: Number(burst) }
      : down !== undefined
        ? { kind: "outage", downMs: Number(down) }
        : overload === undefined
          ? undefined
          : { kind: "overload" };
  const row: Row = {
    agents: Number(agents),
    subscribers: to === "stdout" ? 0 : Number(to),
    rate: amount === undefined ? "max" : Number(amount) * (kilo === "k" ? 1000 : 1),
    ...(twist === undefined ? {} : { twist }),
  };
  if (!isPossible(row, to === "stdout")) throw unreadable(text);
  return row;
}

/** An agent's id has four hexadecimal digits; its address is one of 10.201.0.0/16. */
function isPossible({ agents, subscribers, rate, twist }: Row, toStdout: boolean): boolean {
  const isCountOk = within(agents, 60_000) && (toStdout || within(subscribers, 5_000)) && rate !== 0;
  switch (twist?.kind) {
    case undefined:
      return isCountOk;
    case "burst":
    case "outage":
      return isCountOk && !toStdout && rate !== "max";
    case "overload":
      return isCountOk && subscribers > 1 && rate !== "max";
  }
}

function unreadable(text: string): RangeError {
  return new RangeError(
    `Cannot read the row '${text}': AGENTS>SUBSCRIBERS@RATE is wanted, such as 50>10@20k, 1>1@max or 1>stdout@20k`,
  );
}

function within(value: number, max: number): boolean {
  return value >= 1 && value <= max;
}

export function rowName(row: Row): string {
  const rate = row.rate === "max" || row.rate % 1000 !== 0 ? String(row.rate) : `${row.rate / 1000}k`;
  return `${row.agents}→${isStdout(row) ? "stdout" : row.subscribers} @${rate}${twistName(row.twist)}`;
}

function twistName(twist: Twist | undefined): string {
  switch (twist?.kind) {
    case undefined:
      return "";
    case "burst":
      return `×${twist.events}`;
    case "outage":
      return `~${twist.downMs}ms`;
    case "overload":
      return "!";
  }
}
