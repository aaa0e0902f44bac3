import assert from "node:assert/strict";
import { type AgentFleet, type FleetOptions, startFleet } from "../../hack/agents/fleet.ts";
import type { Checker } from "../../hack/check/checker.ts";
import { type Clock, systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { parseConfig } from "../../relay/config.ts";
import { type ConsumerCounts, type ConsumerLedger, sumOf, unaccounted } from "../../relay/hub/counts.ts";
import { type Relay, startRelay } from "../../relay/relay.ts";
import type { ChunkWriter } from "../../relay/sinks/chunk-writer.ts";

/** What the tests read of `/statusz`. */
export interface RelayStatus {
  readonly feeds: Readonly<
    Record<
      "alerts" | "logs" | "messages",
      {
        readonly received: number;
        readonly unclaimed: number;
        readonly subscribers: ConsumerLedger;
        readonly stdout: ConsumerCounts;
        readonly agents: { readonly bytes: number; readonly breaks: number };
      }
    >
  >;
  readonly nodes: readonly {
    readonly agent: { readonly id: string };
    readonly state: { readonly kind: string };
    readonly feeds: Readonly<Record<string, { readonly isOpen: boolean }>>;
  }[];
  readonly subscribers: readonly { readonly feed: string; readonly counts: ConsumerLedger }[];
}

/** A real relay with real agents, in this process. */
export interface RelayFixture extends AsyncDisposable {
  readonly relay: Relay;
  readonly fleet: AgentFleet;
  /** host:port of its gRPC server. */
  readonly address: string;
  readonly lines: () => readonly string[];
  status(): Promise<RelayStatus>;
  /** The status, once it is as wanted; the test's own time limit ends the wait. */
  statusWhen(isReached: (status: RelayStatus) => boolean): Promise<RelayStatus>;
  /** Resolves when relay and agents agree that every agent has one connection with every stream open. */
  settled(): Promise<void>;
}

export interface RelayFixtureOptions {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Static, the default: the relay is told of the agents and connected to them when the fixture is there. */
  readonly discovery?: "static" | "kubernetes";
  readonly clock?: Clock;
}

export async function startRelayFixture(
  agents: FleetOptions = {},
  { flags = [], env = {}, discovery = "static", clock = systemClock }: RelayFixtureOptions = {},
): Promise<RelayFixture> {
  await using stack = new AsyncDisposableStack();
  const fleet = stack.use(await startFleet(agents));
  const printed = memoryWriter();
  const known = discovery === "static" ? [`--agents=${fleet.addresses.join(",")}`] : [];
  const parsed = parseConfig(["-gRPCPort=0", "--httpPort=0", ...known, ...flags], env);
  if (parsed.kind === "refused") assert.fail(parsed.errors.join("; "));
  let isDrained = false;
  const deps = { version: "test", stdout: printed.writer, clock, random: Math.random, log: silentLog };
  const relay = await startRelay(parsed.config, deps);
  stack.defer(() => (isDrained ? Promise.resolve() : relay.drain(5_000)));
  if (discovery === "static") await fleet.untilWatched();
  const status = async () => {
    const response = await fetch(`http://127.0.0.1:${relay.httpPort}/statusz`);
    return (await response.json()) as RelayStatus;
  };
  const statusWhen = async (isReached: (now: RelayStatus) => boolean) => {
    let now = await status();
    await waitUntil(async () => isReached((now = await status())));
    return now;
  };
  const owned = stack.move();
  return {
    relay: {
      ...relay,
      drain: (deadlineMs) => {
        isDrained = true;
        return relay.drain(deadlineMs);
      },
    },
    fleet,
    address: `127.0.0.1:${relay.grpcPort}`,
    lines: printed.lines,
    status,
    statusWhen,
    async settled() {
      await statusWhen(
        ({ nodes }) => nodes.every(isUp) && fleet.counts().every(({ connections }) => connections === 1),
      );
      await fleet.untilWatched();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Looks again and again. A wait that never ends would outlive its test, so it gives up after the longest of them. */
export async function waitUntil(isReached: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAtMs = performance.now() + 55_000;
  while (!(await isReached())) {
    if (performance.now() > giveUpAtMs) throw new Error(`Gave up waiting until ${String(isReached)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function isUp({ state, feeds }: RelayStatus["nodes"][number]): boolean {
  return state.kind === "connected" && Object.values(feeds).every(({ isOpen }) => isOpen);
}

/** Nothing lost, nothing twice, everything in order. */
export function assertWhole(checker: Checker, wanted: number): void {
  const { events, lost, duplicates, reordered, garbage } = checker.report();
  assert.deepEqual(
    { events, lost, duplicates, reordered, garbage },
    { events: wanted, lost: 0, duplicates: 0, reordered: 0, garbage: 0 },
  );
}

/** The ledger of a feed: every event that came in is accounted for at every consumer. */
export function assertConserved(feed: RelayStatus["feeds"]["alerts"]): void {
  assert.equal(unaccounted(feed.subscribers), 0, "subscribers");
  const { offered, delivered, filtered, unreadable, dropped, queued } = feed.stdout;
  assert.equal(offered, delivered + filtered + unreadable + sumOf(dropped) + queued, "stdout");
}

function memoryWriter(): { readonly writer: ChunkWriter; readonly lines: () => readonly string[] } {
  const chunks: Buffer[] = [];
  return {
    writer: {
      write(chunk, done) {
        chunks.push(Buffer.from(chunk));
        setImmediate(() => done({ kind: "written" }));
      },
      close() {},
    },
    lines: () => Buffer.concat(chunks).toString("utf8").split("\n").slice(0, -1),
  };
}
