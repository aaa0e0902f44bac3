import type { Result } from "./measure.ts";
import { type Row, rowName } from "./rows.ts";

/** A bound on one figure of a row. */
export interface Bound {
  readonly figure: Figure;
  readonly relation: "≤" | "≥";
  readonly limit: number;
}

/** Figures that rows are judged by, in the unit they are printed in. */
export type Figure = keyof typeof figures;

/** What is promised for a row, and what upstream's relay was measured at on this kind of machine. */
export interface Requirement {
  readonly bounds: readonly Bound[];
  readonly upstream: string;
}

interface FigureKind {
  readonly text: (value: number) => string;
  readonly of: (result: Result) => number | undefined;
}

const figures = {
  cpu: {
    text: (us) => `${us.toFixed(2)} µs`,
    of: ({ relay }) => (relay === undefined ? undefined : relay.cpuNsPerDelivery / 1e3),
  },
  p99: { text: (ms) => `p99 ${ms.toFixed(2)} ms`, of: ({ latencyNs }) => latencyNs.p99 / 1e6 },
  lost: {
    text: (events) => `${Math.round(events).toLocaleString("en")} lost`,
    of: ({ lostAtAgents, lostInRelay }) => lostAtAgents + lostInRelay,
  },
  silent: {
    text: (events) => `${Math.round(events).toLocaleString("en")} unaccounted`,
    // What the relay says of itself and what the load knows: the worse of the two.
    of: ({ relay, lostInSilence }) => Math.max(lostInSilence, relay?.unaccounted ?? 0),
  },
  rate: {
    text: (perSecond) => `${Math.round(perSecond / 1000).toLocaleString("en")}k/s`,
    of: ({ deliveriesPerSecond }) => deliveriesPerSecond,
  },
  back: {
    text: (s) => `back ${s.toFixed(2)} s`,
    of: ({ backNs }) => (backNs === undefined ? undefined : backNs / 1e9),
  },
  idle: {
    text: (mib) => `idle ${mib.toFixed(0)} MiB`,
    of: ({ relay }) => (relay === undefined ? undefined : relay.idleBytes / 2 ** 20),
  },
  peak: {
    text: (mib) => `peak ${mib.toFixed(0)} MiB`,
    of: ({ relay }) => (relay === undefined ? undefined : relay.peakBytes / 2 ** 20),
  },
} satisfies Record<string, FigureKind>;

const megabytes = 1e6 / 2 ** 20;

const requirements: Readonly<Record<string, Requirement>> = {
  "1→1 @20k": {
    bounds: [atMost("cpu", 4), atMost("p99", 5), atMost("lost", 0)],
    upstream: "11.9 µs, p50 5.9 ms, p99 11 ms",
  },
  "1→1 @60k": { bounds: [atMost("cpu", 2), atMost("lost", 0)], upstream: "8.8 µs, 0.19 % lost" },
  "100→5 @10k": { bounds: [atMost("cpu", 3), atMost("p99", 4), atMost("lost", 0)], upstream: "8.6 µs, p99 18 ms" },
  "1→10 @5k": { bounds: [atMost("cpu", 2.2), atMost("lost", 0)], upstream: "5.2 µs" },
  "1→10 @20k": { bounds: [atMost("cpu", 0.65), atMost("p99", 5), atMost("lost", 0)], upstream: "3.3 µs, p99 26 ms" },
  "50→10 @50k": {
    bounds: [atMost("cpu", 0.85), atMost("p99", 10), atMost("lost", 0)],
    upstream: "3.2 µs, 38 % lost in silence, p99 106 ms",
  },
  "10→1 @max": { bounds: [atLeast("rate", 300_000), atMost("silent", 0)], upstream: "62 % lost" },
  "1→stdout @20k": { bounds: [atMost("cpu", 5), atMost("lost", 0)], upstream: "19 µs a line" },
  "10→stdout @max": { bounds: [atLeast("rate", 150_000), atMost("silent", 0)], upstream: "58k lines/s, 70 % lost" },
  "1→1 @100k×5000": { bounds: [atMost("lost", 0)], upstream: "230 to 1,500 lost" },
  "1→1 @1k~500ms": { bounds: [atMost("back", 1), atMost("lost", 0)], upstream: "back 4.5 s after" },
  "500→50 @500": {
    bounds: [atMost("peak", 120 * megabytes), atMost("lost", 0)],
    upstream: `idle ${(105 * megabytes).toFixed(0)} MiB, peak ${(153 * megabytes).toFixed(0)} MiB`,
  },
  "500→50 @10k!": { bounds: [atMost("silent", 0), atMost("lost", 0)], upstream: "-" },
};

function atMost(figure: Figure, limit: number): Bound {
  return { figure, relation: "≤", limit };
}

function atLeast(figure: Figure, limit: number): Bound {
  return { figure, relation: "≥", limit };
}

/** Undefined for rows that nothing is promised for. */
export function requirementOf(row: Row): Requirement | undefined {
  return requirements[rowName(row)];
}

export function boundText({ figure, relation, limit }: Bound): string {
  return limit === 0 ? figures[figure].text(0) : `${relation} ${figures[figure].text(limit)}`;
}

export function figureText(figure: Figure, result: Result): string {
  const value = figures[figure].of(result);
  return value === undefined || Number.isNaN(value) ? "-" : figures[figure].text(value);
}

/** Undefined where the figure cannot be had. */
export function figureOf(figure: Figure, result: Result): number | undefined {
  return figures[figure].of(result);
}

/** False where the figure is missing, too: what was not seen was not met. */
export function isMet({ figure, relation, limit }: Bound, result: Result): boolean {
  const value = figures[figure].of(result);
  if (value === undefined) return false;
  return relation === "≤" ? value <= limit : value >= limit;
}
