import type { Accounts } from "./accounts.ts";
import type { Environment, Placement } from "./child.ts";
import type { NumberedEvent } from "./event.ts";
import { makeFifo } from "./fifo.ts";
import { type Counters, Load } from "./load.ts";
import type { Network } from "./network.ts";
import { produce, type ProduceOptions, subscribe, type Window } from "./produce.ts";
import { isStdout, type Row } from "./rows.ts";
import { drained, watched } from "./settle.ts";
import type { Subject } from "./subject.ts";

export interface MeasureOptions extends ProduceOptions {
  readonly network: Network;
  readonly loadBinary: string;
  readonly loadPlacement: Placement;
  readonly tickUs: number;
  readonly env: Environment;
  readonly event: NumberedEvent;
  /** The method the readers call, and the filter that they and the relay send with it. */
  readonly path: string;
  readonly filter: string;
  /** The environment variable that makes a relay print the feed. */
  readonly stdoutVariable: string;
}

/** One row. Rates and CPU are those of the measured window, losses those of the whole run, to its drained end. */
export interface Result {
  readonly row: Row;
  /** "floor" = readers straight at the agents. */
  readonly subject: string;
  /** To subscribers that are not slow on purpose, or lines. */
  readonly deliveriesPerSecond: number;
  /** Of the relay; undefined for the floor. */
  readonly relay:
    | {
        readonly cpuNsPerDelivery: number;
        readonly coreShare: number;
        /** Connected, before the first event. */
        readonly idleBytes: number;
        readonly peakBytes: number;
        /** Events that it has in no counter; undefined = it does not say. */
        readonly unaccounted: number | undefined;
      }
    | undefined;
  readonly load: { readonly cpuNsPerDelivery: number; readonly coreShare: number; readonly lateShare: number };
  readonly latencyNs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** From the agents' return to the first event since, of the slowest outage; infinite = no event, undefined = no outage. */
  readonly backNs: number | undefined;
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

/** Measures one row through a relay, or without one for the floor. */
export async function measure(row: Row, subject: Subject | undefined, options: MeasureOptions): Promise<Result> {
  const { network, signal } = options;
  const agents = network.agents(row.agents);
  await using fifo = isStdout(row) ? await makeFifo() : undefined;
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
  if (fifo !== undefined) await load.readLines(fifo.path);
  const stdout = fifo === undefined ? undefined : { fd: fifo.fd, variable: options.stdoutVariable };
  // Disposed of before the load, so that the relay does not see its agents vanish.
  await using running = await subject?.start(agents, network, stdout);
  if (subject === undefined || running === undefined) {
    await subscribe(row, load, agents);
    await watched(load, row.agents * row.subscribers, signal);
    const window = await produce(row, load, undefined, options);
    return result(row, "floor", window, await drained(load, signal), undefined);
  }
  const whole = async () => {
    await watched(load, row.agents, signal);
    await subscribe(row, load, [`${network.relayHost}:${network.relayPort}`]);
    const window = await produce(row, load, running.child.pid, options);
    return result(row, subject.name, window, await drained(load, signal), await running.accounts());
  };
  // Awaited here: what `await using` holds must live until then.
  return await Promise.race([whole(), running.child.failed]);
}

function result(row: Row, subject: string, window: Window, end: Counters, accounts: Accounts | undefined): Result {
  const { idle, before, after } = window;
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
      idle === undefined || before.usage === undefined || after.usage === undefined
        ? undefined
        : {
            ...cost(after.usage.cpuNs - before.usage.cpuNs),
            idleBytes: idle.residentBytes,
            peakBytes: after.usage.peakResidentBytes,
            unaccounted: accounts?.unaccounted,
          },
    load: { ...cost(grown("cpuNs")), lateShare: grown("late") / grown("created") },
    latencyNs: { p50: after.counters.p50Ns, p99: after.counters.p99Ns, max: after.counters.maxNs },
    backNs: window.backNs,
    ...losses(row, end, accounts),
    anomalies: anomalies(row, end),
  };
}

/**
 * A drop at an agent is one of a stream's events: every reader behind that stream misses it. What readers miss beyond that
 * was lost between the agents and them; `accounts` is what the relay says it dropped, undefined without a relay.
 */
function losses(row: Row, end: Counters, accounts: Accounts | undefined) {
  const readers = isStdout(row) || row.twist?.kind === "overload" ? 1 : row.subscribers;
  const readersPerStream = accounts === undefined ? 1 : readers;
  const lostAtAgents = (end.agentDropped + end.agentCut) * readersPerStream;
  const lostInRelay = Math.max(0, end.missing + end.behind - lostAtAgents);
  return {
    expected: (end.created - end.unheard) * readers,
    lostAtAgents,
    lostInRelay,
    lostInSilence: Math.max(0, lostInRelay - (accounts?.dropped ?? 0)),
  };
}

function anomalies(row: Row, end: Counters): readonly string[] {
  // What an agent makes while it is down or not yet subscribed to again is what an outage is about.
  const unheard = row.twist?.kind === "outage" ? 0 : end.unheard;
  const counts: readonly (readonly [number, string])[] = [
    [end.duplicated, "duplicated"],
    [end.reordered, "out of order"],
    [end.foreign, "not of this load"],
    [unheard, "made while nobody was subscribed at the agent"],
    [end.keepaliveFailures, "pings of agents not answered"],
  ];
  return [
    ...counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`),
    ...new Set(end.ended.map((reason) => `a subscriber's connection ended: ${reason}`)),
  ];
}
