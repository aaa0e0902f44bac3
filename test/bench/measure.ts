import { setTimeout as sleep } from "node:timers/promises";
import type { Environment, Placement } from "./child.ts";
import type { NumberedEvent } from "./event.ts";
import { type Counters, Load } from "./load.ts";
import type { Network } from "./network.ts";
import type { Row } from "./rows.ts";
import type { Subject } from "./subject.ts";
import { readUsage, type Usage } from "./usage.ts";

export interface MeasureOptions {
  readonly network: Network;
  readonly loadBinary: string;
  readonly loadPlacement: Placement;
  readonly tickUs: number;
  readonly env: Environment;
  readonly event: NumberedEvent;
  /** The method the readers call, and the filter that they and the relay send with it. */
  readonly path: string;
  readonly filter: string;
  readonly warmUpMs: number;
  readonly windowMs: number;
  readonly signal: AbortSignal;
}

/** One row. Rates and CPU are those of the measured window, losses those of the whole run, to its drained end. */
export interface Result {
  readonly row: Row;
  /** "floor" = readers straight at the agents. */
  readonly subject: string;
  readonly deliveriesPerSecond: number;
  /** Of the relay; undefined for the floor. */
  readonly relay:
    | { readonly cpuNsPerDelivery: number; readonly coreShare: number; readonly peakBytes: number }
    | undefined;
  readonly load: { readonly cpuNsPerDelivery: number; readonly coreShare: number; readonly lateShare: number };
  readonly latencyNs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Deliveries that should have happened. */
  readonly expected: number;
  /** Deliveries lost because an agent's queue was full or its subscriber left: the relay did not read in time. */
  readonly lostAtAgents: number;
  /** Deliveries lost after the agent had sent the event. */
  readonly lostInRelay: number;
  /** Those of them that the relay itself does not know of. */
  readonly lostInSilence: number;
  /** Events a second that the agents sent. */
  readonly sentPerSecond: number;
  /** What must not happen and did. */
  readonly anomalies: readonly string[];
}

const connectMs = 30_000;
const drainMs = 10_000;
/** Events a second of each agent before a burst. */
const trickle = 100;

/** Measures one row through a relay, or without one for the floor. */
export async function measure(row: Row, subject: Subject | undefined, options: MeasureOptions): Promise<Result> {
  const { network, signal } = options;
  const agents = network.agents(row.agents);
  await using load = await Load.start({
    binary: options.loadBinary,
    within: (command) => network.withinLoad(command),
    placement: options.loadPlacement,
    tickUs: options.tickUs,
    env: options.env,
    agents,
    event: options.event,
    path: options.path,
    filter: options.filter,
  });
  // Disposed of before the load, so that the relay does not see its agents vanish.
  await using running = await subject?.start(agents, network);
  if (running === undefined) {
    await load.subscribe(row.subscribers, agents);
    await watched(load, row.agents * row.subscribers, signal);
    const window = await produce(row, load, undefined, options);
    return result(row, "floor", window, await drained(load, signal), undefined);
  }
  const whole = async () => {
    await watched(load, row.agents, signal);
    await load.subscribe(row.subscribers, [`${network.relayHost}:${network.relayPort}`]);
    const window = await produce(row, load, running.child.pid, options);
    return result(row, running.name, window, await drained(load, signal), await running.dropped());
  };
  // Awaited here: what `await using` holds must live until then.
  return await Promise.race([whole(), running.child.failed]);
}

interface Snapshot {
  readonly counters: Counters;
  /** Of the relay. */
  readonly usage: Usage | undefined;
}

interface Window {
  readonly before: Snapshot;
  readonly after: Snapshot;
}

/** Warms up, then makes the row's events for the measured time. */
async function produce(row: Row, load: Load, relayPid: number | undefined, options: MeasureOptions): Promise<Window> {
  const { warmUpMs, windowMs, signal } = options;
  const snapshot = async (): Promise<Snapshot> => ({
    counters: await load.mark(),
    usage: relayPid === undefined ? undefined : readUsage(relayPid),
  });
  // Before a burst a trickle, so that code and windows are warm.
  await load.setRate(row.burst === undefined ? row.rate : trickle * row.agents);
  await sleep(warmUpMs, undefined, { signal });
  if (row.burst !== undefined) {
    await load.setRate(0);
    await drained(load, signal);
  }
  const before = await snapshot();
  if (row.burst !== undefined) await load.burst(row.burst, row.rate);
  await sleep(windowMs, undefined, { signal });
  const after = await snapshot();
  await load.setRate(0);
  return { before, after };
}

function result(row: Row, subject: string, window: Window, end: Counters, dropped: number | undefined): Result {
  const { before, after } = window;
  const grown = (name: "atNs" | "cpuNs" | "created" | "late" | "sent" | "delivered") =>
    after.counters[name] - before.counters[name];
  const windowNs = grown("atNs");
  const cost = (cpuNs: number) => ({ cpuNsPerDelivery: cpuNs / grown("delivered"), coreShare: cpuNs / windowNs });
  return {
    row,
    subject,
    deliveriesPerSecond: (grown("delivered") * 1e9) / windowNs,
    sentPerSecond: (grown("sent") * 1e9) / windowNs,
    relay:
      before.usage === undefined || after.usage === undefined
        ? undefined
        : { ...cost(after.usage.cpuNs - before.usage.cpuNs), peakBytes: after.usage.peakResidentBytes },
    load: { ...cost(grown("cpuNs")), lateShare: grown("late") / grown("created") },
    latencyNs: { p50: after.counters.p50Ns, p99: after.counters.p99Ns, max: after.counters.maxNs },
    ...losses(row, end, dropped),
    anomalies: anomalies(end),
  };
}

/**
 * A drop at an agent is one of a stream's events: every reader behind that stream misses it. What readers miss beyond that
 * was lost between the agents and them; `dropped` is what the relay says it dropped, undefined without a relay.
 */
function losses(row: Row, end: Counters, dropped: number | undefined) {
  const readersPerStream = dropped === undefined ? 1 : row.subscribers;
  const lostAtAgents = (end.agentDropped + end.agentCut) * readersPerStream;
  const lostInRelay = Math.max(0, end.missing + end.behind - lostAtAgents);
  return {
    expected: (end.created - end.unheard) * row.subscribers,
    lostAtAgents,
    lostInRelay,
    lostInSilence: Math.max(0, lostInRelay - (dropped ?? 0)),
  };
}

function anomalies(end: Counters): readonly string[] {
  const counts: readonly (readonly [number, string])[] = [
    [end.duplicated, "duplicated"],
    [end.reordered, "out of order"],
    [end.foreign, "not of this load"],
    [end.unheard, "made while nobody was subscribed at the agent"],
    [end.keepaliveFailures, "pings of agents not answered"],
  ];
  return [
    ...counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`),
    ...new Set(end.ended.map((reason) => `a subscriber's connection ended: ${reason}`)),
  ];
}

/** Waits until the agents have that many subscriptions. */
async function watched(load: Load, streams: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + connectMs;
  for (let { agentStreams } = await load.state(); agentStreams < streams; { agentStreams } = await load.state()) {
    if (performance.now() > deadline) {
      throw new Error(`Cannot start the load: ${agentStreams} of ${streams} subscriptions after ${connectMs / 1000} s`);
    }
    await sleep(20, undefined, { signal });
  }
}

/** The counters once everything has arrived, or nothing has for a second. */
async function drained(load: Load, signal: AbortSignal): Promise<Counters> {
  const deadline = performance.now() + drainMs;
  let counters = await load.state();
  let movedAt = performance.now();
  while (counters.behind > 0 && performance.now() < Math.min(deadline, movedAt + 1000)) {
    await sleep(50, undefined, { signal });
    const next = await load.state();
    if (next.delivered > counters.delivered) movedAt = performance.now();
    counters = next;
  }
  return counters;
}
