import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KubeClient, KubeObject } from "../../lib/kube/types.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { settle } from "../../lib/kube/testing/recording-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import type { NamespaceState } from "../discovery/watch-agent-pods.ts";
import { makeWorld } from "../ledger/testing/sources.ts";
import { noNodeFeedTotals } from "../ledger/feed-counts.ts";
import type { RelayEntry } from "./entry.ts";
import { type ReportDeps, startReport } from "./start-report.ts";

const config = { relay: { namespace: "ns", name: "relay" }, pod: "relay-0" };

/** What is reported by a relay with a number of its own in every place, second by second. */
async function startReporting(given: Partial<ReportDeps> = {}) {
  const world = await makeWorld();
  const clock = new FakeClock(1_000_000);
  const reports: { readonly atMs: number; readonly entry: RelayEntry }[] = [];
  const outage = { isOver: true };
  const apply = async (...[, object]: Parameters<KubeClient["apply"]>): Promise<KubeObject> => {
    await Promise.resolve();
    const { relays } = object["status"] as { readonly relays: readonly [RelayEntry] };
    reports.push({ atMs: clock.monotonic() - 1_000_000, entry: relays[0] });
    if (!outage.isOver) throw new Error("connect ECONNREFUSED");
    return object;
  };
  const { stdout, subscriptions } = world.sources;
  const reporter = startReport(config, {
    version: "1.2.3",
    settings: { textHash: "0123456789abcdef", refused: [] },
    printing: { printed: ["alerts"], isStdoutClosed: false, counts: (feed) => stdout.counts(feed) },
    nodes: world.pool,
    subscriptions,
    discovery: () => [],
    isReady: () => true,
    client: { apply },
    clock,
    random: () => 0.5,
    log: silentLog,
    ...given,
  });
  return {
    reports,
    outage,
    async pass(seconds: number): Promise<void> {
      for (let left = seconds; left > 0; left -= 1) {
        clock.advance(1_000);
        await settle();
      }
    },
    async [Symbol.asyncDispose]() {
      reporter[Symbol.dispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

describe("startReport()", () => {
  it("reports what the relay's parts say", async () => {
    await using reporting = await startReporting();
    await reporting.pass(3);
    assert.deepEqual(reporting.reports[0]?.entry, {
      pod: "relay-0",
      version: "1.2.3",
      settings: "0123456789abcdef",
      stdout: "alerts",
      agents: { seen: 3, connected: 1 },
      loss: { dropped: 18_039 + 2_454, gaps: 1 },
    });
  });

  it("waits at the start for agents that are not connected", async () => {
    await using reporting = await startReporting();
    await reporting.pass(10);
    assert.deepEqual(
      reporting.reports.map(({ atMs }) => atMs),
      [3_000],
    );
  });

  it("waits at the start until the relay is ready", async () => {
    let isReady = false;
    const nodes = { nodes: [], totals: () => noNodeFeedTotals };
    await using reporting = await startReporting({ nodes, isReady: () => isReady });
    await reporting.pass(1);
    isReady = true;
    await reporting.pass(10);
    assert.deepEqual(
      reporting.reports.map(({ atMs }) => atMs),
      [2_000],
    );
  });

  it("does not wait with a problem", async () => {
    await using reporting = await startReporting({ settings: { textHash: undefined, refused: ["wrong"] } });
    await reporting.pass(10);
    assert.deepEqual(
      reporting.reports.map(({ atMs, entry }) => [atMs, entry.settings, entry.problem]),
      [[1_000, undefined, "settings are refused, the last good ones are in force: wrong"]],
    );
  });

  it("does not tell after an outage of what is over", async () => {
    const error = new Error("connect ECONNREFUSED");
    const failing: NamespaceState = {
      namespace: "a",
      state: { kind: "failing", reason: "unreachable", error },
      failingSinceMs: 1_005_000,
    };
    const synced: NamespaceState = { namespace: "a", state: { kind: "synced" }, failingSinceMs: undefined };
    let state: NamespaceState = synced;
    await using reporting = await startReporting({ discovery: () => [state] });
    await reporting.pass(5);
    reporting.outage.isOver = false;
    state = failing;
    await reporting.pass(115);
    reporting.outage.isOver = true;
    // The watch waits at most so long until it tries again.
    await reporting.pass(30);
    state = synced;
    await reporting.pass(30);
    const taken = reporting.reports.filter(({ atMs }) => atMs >= 120_000);
    assert.deepEqual(
      taken.map(({ entry }) => entry.problem),
      [undefined],
    );
  });
});
