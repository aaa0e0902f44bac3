import type { Result } from "./measure.ts";
import { rowName } from "./rows.ts";

const columns = [
  ["load", 17],
  ["relay", 6],
  ["deliveries/s", 13],
  ["µs CPU/dlv", 11],
  ["core", 6],
  ["idle MiB", 9],
  ["peak MiB", 9],
  ["lost at agents", 15],
  ["lost in relay", 14],
  ["in silence", 11],
  ["p50 ms", 8],
  ["p99 ms", 8],
  ["max ms", 8],
  ["load µs/dlv", 12],
  ["load core", 10],
] as const;

// Beyond this the load, not the relay, may be what limits a row.
const loadBoundShare = 0.9;
const lateLimit = 0.01;

export function heading(): string {
  const names = line(columns.map(([name]) => name));
  return `${names}\n${"-".repeat(names.length)}`;
}

export function resultLine(result: Result): string {
  const { relay, load, latencyNs } = result;
  const cells = [
    rowName(result.row),
    result.subject,
    Math.round(result.deliveriesPerSecond).toLocaleString("en"),
    relay === undefined ? "" : micros(relay.cpuNsPerDelivery),
    relay === undefined ? "" : percent(relay.coreShare),
    relay === undefined ? "" : (relay.idleBytes / 2 ** 20).toFixed(0),
    relay === undefined ? "" : (relay.peakBytes / 2 ** 20).toFixed(0),
    loss(result.lostAtAgents, result.expected),
    loss(result.lostInRelay, result.expected),
    relay === undefined ? "" : loss(result.lostInSilence, result.expected),
    ...[latencyNs.p50, latencyNs.p99, latencyNs.max].map((ns) => (ns / 1e6).toFixed(2)),
    micros(load.cpuNsPerDelivery),
    percent(load.coreShare),
  ];
  return [line(cells), ...notes(result).map((note) => `  ! ${note}`)].join("\n");
}

/** How a relay compares with another on the same row, below 1 = better. */
export function ratioLine(result: Result, other: Result): string {
  const cpu = (result.relay?.cpuNsPerDelivery ?? Number.NaN) / (other.relay?.cpuNsPerDelivery ?? Number.NaN);
  const p99 = result.latencyNs.p99 / other.latencyNs.p99;
  const peak = (result.relay?.peakBytes ?? Number.NaN) / (other.relay?.peakBytes ?? Number.NaN);
  return `  ${result.subject}/${other.subject}: CPU ${cpu.toFixed(2)}, p99 ${p99.toFixed(2)}, peak memory ${peak.toFixed(2)}`;
}

function notes(result: Result): readonly string[] {
  const { load, relay, row } = result;
  const bound =
    load.coreShare > loadBoundShare
      ? [
          `the load's core was ${percent(load.coreShare)} busy: latency, and rate, are the load's rather than the relay's`,
        ]
      : [];
  const late = load.lateShare > lateLimit ? [`${percent(load.lateShare)} of the events were made over 2 ms late`] : [];
  const sent =
    row.rate === "max" ? [`the agents sent ${Math.round(result.sentPerSecond).toLocaleString("en")} events/s`] : [];
  const unaccounted =
    relay?.unaccounted === undefined || relay.unaccounted === 0
      ? []
      : [`${relay.unaccounted} events that the relay cannot account for`];
  return [...sent, ...outage(result), ...bound, ...late, ...unaccounted, ...result.anomalies];
}

function outage({ backNs }: Result): readonly string[] {
  if (backNs === undefined) return [];
  if (!Number.isFinite(backNs)) return ["no event after the agents listened again"];
  return [`the first event at most ${(backNs / 1e6).toFixed(0)} ms after the agents listened again`];
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, i) => {
      const width = columns[i]?.[1] ?? 0;
      return i < 2 ? cell.padEnd(width) : cell.padStart(width);
    })
    .join("")
    .trimEnd();
}

function micros(ns: number): string {
  return (ns / 1e3).toFixed(2);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function loss(lost: number, expected: number): string {
  return lost === 0 ? "0" : `${((lost * 100) / expected).toPrecision(2)} %`;
}
