import { FakeClock } from "../../../lib/process/fake-clock.ts";
import { silentLog } from "../../../lib/process/log.ts";
import type { FeedId } from "../../feeds.ts";
import type { ConsumerLedger } from "../../hub/counts.ts";
import { defaultNodeOptions } from "../../nodes/node-options.ts";
import { NodePool } from "../../nodes/node-pool.ts";
import { type ScriptedLink, ScriptedLinks } from "../../nodes/scripted-links.ts";
import { Slots } from "../../nodes/slots.ts";
import { connectionEnds, type ConnectionTotals } from "../../server/connection-counts.ts";
import type { MetricSources } from "../sources.ts";

/** For tests: sources with a number of its own in every place, so that no two can be mixed up. */
export interface World extends AsyncDisposable {
  readonly sources: Required<MetricSources>;
  readonly clock: FakeClock;
  readonly pool: NodePool;
  /** Of the nodes `node-a` and `node-b`; `node-c` cannot be reached. */
  readonly links: readonly ScriptedLink[];
}

const throttleNotice = Buffer.from("\0\0\0\0\x1f\x8a\x01\x0bSystemEvent\x9a\x01\x0eAlertThreshold", "latin1");

export async function makeWorld(): Promise<World> {
  const clock = new FakeClock(1_700_000_000_000);
  const scripted = new ScriptedLinks();
  const received: Record<FeedId, number> = { alerts: 0, logs: 0, messages: 0 };
  const publish = (feed: FeedId, _run: Buffer, events: number) => (received[feed] += events);
  const deps = { publish, dialling: new Slots(8), clock, random: () => 0.5, log: silentLog };
  const pool = new NodePool(defaultNodeOptions, deps, scripted.open);
  const names = ["node-a", "node-b", "node-c"];
  pool.update(
    "test",
    names.map((name, index) => ({ id: `uid-${name}`, name, endpoints: [{ host: `10.0.0.${index}`, port: 1 }] })),
  );
  await settled();
  const links = scripted.dials.slice(0, 2).map((dial) => dial.accept());
  scripted.dials[2]?.refuse();
  await settled();
  for (const link of links) link.answerHealth();
  await settled();
  await bringEvents(links, clock);
  const sources = { ...fixedSources, hub: hubOf(received), nodes: pool };
  return { sources, clock, pool, links, [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose]() };
}

async function bringEvents([a, b]: readonly ScriptedLink[], clock: FakeClock): Promise<void> {
  a?.stream("alerts").onRun(Buffer.concat([throttleNotice, Buffer.alloc(5)]), 2);
  a?.stream("logs").onRun(Buffer.alloc(35), 7);
  clock.advance(1_000);
  b?.stream("alerts").onRun(Buffer.alloc(55), 11);
  b?.stream("alerts").end({ kind: "framing", fault: "too-large", message: "5 MiB" });
  b?.stream("messages").end({ kind: "refused", code: undefined, message: "UNIMPLEMENTED" });
  await settled();
  clock.advance(20);
  await settled();
}

function hubOf(received: Readonly<Record<FeedId, number>>): MetricSources["hub"] {
  const totals = (feed: FeedId) => ({
    received: received[feed],
    unclaimed: 1,
    gathered: 2,
    handed: received[feed] - 3,
  });
  return { totals, budget: { usedBytes: 501, maxBytes: 502 } as MetricSources["hub"]["budget"] };
}

/** What adds up, from a number on. */
function ledgerFrom(first: number): ConsumerLedger {
  const [delivered, filtered, unreadable, mailbox, budget, disconnected, shutdown, queued] = Array.from(
    { length: 8 },
    (_, index) => first + index,
  ) as [number, number, number, number, number, number, number, number];
  const expected = 8 * first + 28;
  const dropped = { mailbox, budget, disconnected, shutdown };
  return { expected, offered: expected, delivered, filtered, unreadable, dropped, queued };
}

const firstOf: Readonly<Record<FeedId, number>> = { alerts: 1, logs: 2, messages: 3 };

const fixedSources: Omit<Required<MetricSources>, "hub" | "nodes"> = {
  version: "1.2.3",
  subscriptions: {
    list: () =>
      [4, 9].map((seconds) => ({
        feed: "alerts",
        peer: `10.1.0.${seconds}:40000`,
        sinceMs: 1_699_999_000_000,
        counts: ledgerFrom(400),
        queuedBytes: seconds * 100,
        deliveredBytes: 700,
        lag: { nowMs: seconds * 1_000, lastMs: 5, worstMs: 60_000 },
      })),
    totals: (feed) => ledgerFrom(firstOf[feed] * 1_000),
  },
  stdout: { counts: (feed) => ledgerFrom(firstOf[feed] * 100), queuedBytes: 503 },
  stdoutExpected: (feed) => ledgerFrom(firstOf[feed] * 100).expected,
  stdoutLeader: () => ({
    isLeader: true,
    holder: "relay-1",
    terms: 3,
    repeated: { alerts: 31, logs: 32, messages: 33 },
    missing: { alerts: 34, logs: 35, messages: 36 },
  }),
  watches: () => [
    { state: { kind: "synced" } },
    { state: { kind: "failing", reason: "forbidden", error: new Error("pods is forbidden") } },
  ],
  watchRestarts: () => [
    ["timeout", 41],
    ["forbidden", 42],
  ],
  settingsErrors: () => ['"stdout" is 5, wanted: a map'],
  settingsHash: () => "0123456789ab",
  report: () => ({
    relay: "ns/relay",
    lastApplied: {
      pod: "relay-0",
      version: "1.2.3",
      settings: "0123456789abcdef",
      stdout: "alerts,logs",
      agents: { seen: 51, connected: 50 },
      loss: { dropped: 52, gaps: 53 },
      problem: "agents in all namespaces cannot be watched (forbidden): pods is forbidden",
      atMs: 1_699_999_500_000,
    },
    lastError: { kind: "unreachable", message: "connect ECONNREFUSED", atMs: 1_699_999_400_000 },
    counts: { applied: 54, gone: 55, forbidden: 56, refused: 57, unreachable: 58 },
  }),
  enrichment: (feed) => {
    const first = firstOf[feed] * 10;
    return {
      hostAdded: first,
      hostUnknown: first + 1,
      hostPresent: first + 2,
      clusterNameAdded: first + 3,
      unreadable: first + 4,
      tooLarge: first + 5,
    };
  },
  hostWatches: () => [
    { resource: "pods", state: { kind: "synced" } },
    {
      resource: "services",
      state: { kind: "failing", reason: "forbidden", error: new Error("services is forbidden") },
    },
  ],
  hosts: () => 61,
  server: () => ({
    connections: {
      accepted: 90,
      open: 35,
      ended: Object.fromEntries(connectionEnds.map((end, index) => [end, index + 1])) as ConnectionTotals["ended"],
    },
    calls: 51,
    messageBytes: 52,
  }),
  ports: () => ({ grpc: 32_767, http: 8_080 }),
  eventLoop: { summary: () => ({ p50Ms: 0.1, p99Ms: 2, maxMs: 30 }) },
};

function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
