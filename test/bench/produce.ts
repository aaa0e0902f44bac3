import { setTimeout as sleep } from "node:timers/promises";
import type { Counters, Load } from "./load.ts";
import { isStdout, type Row } from "./rows.ts";
import { drained, watched } from "./settle.ts";
import { readUsage, type Usage } from "./usage.ts";

export interface ProduceOptions {
  readonly warmUpMs: number;
  readonly windowMs: number;
  /** Window of rows with an overload. */
  readonly overloadMs: number;
  readonly signal: AbortSignal;
}

export interface Snapshot {
  readonly counters: Counters;
  /** Of the relay. */
  readonly usage: Usage | undefined;
}

export interface Window {
  /** Connected, before the first event. */
  readonly idle: Usage | undefined;
  readonly before: Snapshot;
  readonly after: Snapshot;
  /** From the agents' return to the first event since, of the slowest; infinite = no event, undefined = no outage. */
  readonly backNs: number | undefined;
}

/** Relays wait for a random time before they dial again: one outage says little. */
const outages = 3;
/** Long enough for a burst to arrive, which takes less than a second. */
const burstWindowMs = 3_000;
/** Events a second of each agent before a burst. */
const trickle = 100;
/** Upstream's relay takes 4.5 s to come back. */
const outageLimitMs = 15_000;
const idleMs = 500;

/** Connects the row's readers to a relay, or to every agent for the floor. */
export async function subscribe(row: Row, load: Load, addresses: readonly string[]): Promise<void> {
  if (isStdout(row)) return;
  if (row.twist?.kind !== "overload") {
    await load.subscribe("full", row.subscribers, addresses);
    return;
  }
  const slow = Math.ceil((row.subscribers - 1) / 2);
  await load.subscribe("full", 1, addresses);
  await load.subscribe("slow", slow, addresses);
  await load.subscribe("stalled", row.subscribers - 1 - slow, addresses);
}

/** Warms up, then makes the row's events for the measured time. */
export async function produce(
  row: Row,
  load: Load,
  relayPid: number | undefined,
  options: ProduceOptions,
): Promise<Window> {
  const { warmUpMs, windowMs, overloadMs, signal } = options;
  const usage = () => (relayPid === undefined ? undefined : readUsage(relayPid));
  const snapshot = async (): Promise<Snapshot> => ({ counters: await load.mark(), usage: usage() });
  await sleep(idleMs, undefined, { signal });
  const idle = usage();
  const isBurst = row.twist?.kind === "burst";
  // Before a burst a trickle, so that code and windows are warm.
  await load.setRate(isBurst ? trickle * row.agents : row.rate);
  await sleep(warmUpMs, undefined, { signal });
  if (isBurst) {
    await load.setRate(0);
    await drained(load, signal);
  }
  const before = await snapshot();
  let backNs: number | undefined;
  switch (row.twist?.kind) {
    case undefined:
      await sleep(windowMs, undefined, { signal });
      break;
    case "burst":
      await load.burst(row.twist.events, row.rate);
      await sleep(Math.min(windowMs, burstWindowMs), undefined, { signal });
      break;
    case "outage":
      for (let i = 0; i < outages; i += 1) {
        backNs = Math.max(backNs ?? 0, await goDown(row, row.twist.downMs, load, signal));
      }
      break;
    case "overload":
      await sleep(overloadMs, undefined, { signal });
      break;
  }
  const after = await snapshot();
  await load.setRate(0);
  return { idle, before, after, backNs };
}

/** Until an event has come through and every agent has its subscriber again, or for some seconds. */
async function goDown(row: Row, downMs: number, load: Load, signal: AbortSignal): Promise<number> {
  const deadline = performance.now() + outageLimitMs;
  let { backNs } = await load.down(downMs);
  while (backNs === 0) {
    if (performance.now() > deadline) return Number.POSITIVE_INFINITY;
    await sleep(20, undefined, { signal });
    ({ backNs } = await load.state());
  }
  await watched(load, row.agents, signal);
  // The next outage meets streams that flow.
  await sleep(500, undefined, { signal });
  return backNs;
}
