import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import { test } from "node:test";
import type { Agent } from "../../hack/agents/agent.ts";
import { startChecker } from "../../hack/check/checker.ts";
import { type LedgerStatus, readMetrics, readStatus } from "./ledger-harness.ts";
import { type RelayFixture, startRelayFixture, waitUntil } from "./relay-harness.ts";

const limit = { timeout: 60_000 };
const feeds = ["alerts", "logs", "messages"] as const;

/** The only node of a fixture with one agent. */
async function nodeOf(fixture: RelayFixture): Promise<LedgerStatus["nodes"][number]> {
  return (await readStatus(fixture)).nodes[0] ?? assert.fail("There is no node");
}

test("A disconnect is a gap of every feed, with its first, its last and the last event before it", limit, async () => {
  await using fixture = await startRelayFixture();
  await fixture.settled();
  fixture.fleet.produce("alerts", 5);
  await waitUntil(async () => (await nodeOf(fixture)).feeds.alerts.events === 5);
  const before = await nodeOf(fixture);
  const goneMs = Date.now();
  await fixture.fleet.agent(0).restart({ downMs: 200 });
  await fixture.settled();
  const backMs = Date.now();
  const { feeds: after, lastError } = await nodeOf(fixture);
  for (const feed of feeds) {
    const [gap, ...more] = after[feed].recentGaps;
    assert.ok(gap !== undefined && more.length === 0, feed);
    assert.equal(gap.reason, "connection-lost");
    assert.ok(gap.fromMs >= goneMs && (gap.toMs ?? 0) <= backMs, "within the time it was away");
    assert.ok((gap.toMs ?? 0) - gap.fromMs >= 150, "about as long as it was away");
    assert.equal(gap.lastEventMs, before.feeds[feed].lastEventMs);
    assert.equal(after[feed].isOpen, true);
  }
  assert.notEqual(before.feeds.alerts.lastEventMs, undefined);
  assert.notEqual(lastError, undefined, "what happened is still told when all is well again");
  const metrics = await readMetrics(fixture);
  const { name } = before.agent;
  for (const feed of feeds) {
    assert.equal(metrics.get(`stream_gaps_total{feed="${feed}"}`), 1);
    assert.equal(metrics.get(`node_stream_gaps_total{node="${name}",feed="${feed}"}`), 1);
    assert.ok((metrics.get(`stream_gap_seconds_total{feed="${feed}"}`) ?? 0) >= 0.15);
  }
});

const ends: Record<string, { strike: (agent: Agent) => void; reason: keyof LedgerFeed["ends"] }> = {
  "an agent ends a stream": { strike: (agent) => agent.endStreams("alerts", status.INTERNAL), reason: "status" },
  "an event is too large": { strike: (agent) => agent.garbage("length"), reason: "too-large" },
  "an event is compressed": { strike: (agent) => agent.garbage("flag"), reason: "compressed" },
};
type LedgerFeed = LedgerStatus["nodes"][number]["feeds"]["alerts"];
for (const [sentence, { strike, reason }] of Object.entries(ends)) {
  test(`When ${sentence}, that feed alone has a gap, with the reason`, limit, async () => {
    await using fixture = await startRelayFixture();
    await fixture.settled();
    strike(fixture.fleet.agent(0));
    fixture.fleet.produce("alerts", 1);
    await waitUntil(async () => (await nodeOf(fixture)).feeds.alerts.ends[reason] === 1);
    await fixture.settled();
    const { feeds: its } = await nodeOf(fixture);
    assert.deepEqual(
      its.alerts.recentGaps.map((gap) => [gap.reason, gap.toMs !== undefined]),
      [[reason, true]],
    );
    assert.deepEqual([its.logs.recentGaps, its.messages.recentGaps], [[], []]);
    const metrics = await readMetrics(fixture);
    assert.equal(metrics.get(`stream_ends_total{feed="alerts",reason="${reason}"}`), 1);
  });
}

test("What agents throttled is counted, node by node", limit, async () => {
  await using fixture = await startRelayFixture({ count: 2 }, { env: { ENABLE_STDOUT_ALERTS: "true" } });
  fixture.fleet.agent(0).produce("alerts", 900);
  fixture.fleet.agent(1).produce("alerts", 100);
  await waitUntil(() => fixture.lines().length === 1_000);
  const printed = fixture
    .lines()
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    .filter((event) => event["Operation"] === "AlertThreshold");
  const { nodes } = await readStatus(fixture);
  const perNode = ["node-0", "node-1"].map((host) => printed.filter((event) => event["HostName"] === host).length);
  assert.ok(Math.min(...perNode) > 0, "the agents did throttle");
  assert.deepEqual(
    nodes.map(({ throttle }) => throttle.notices),
    perNode,
  );
  const { last } = nodes[0]?.throttle ?? {};
  const wanted = printed.findLast((event) => event["HostName"] === "node-0");
  assert.deepEqual([last?.["namespace"], last?.["pod"]], [wanted?.["NamespaceName"], wanted?.["PodName"]]);
  assert.deepEqual([last?.["maxAlertsPerSecond"], last?.["droppingSeconds"]], [10, 30]);
  const metrics = await readMetrics(fixture);
  assert.equal(metrics.get("throttle_notices_total"), printed.length);
});

test(
  "Nothing is unaccounted for at any instant: under load, with clients that leave or never read, and in a drain",
  limit,
  async () => {
    await using fixture = await startRelayFixture(
      { count: 5, rates: { alerts: 2_000, logs: 1_000, messages: 100 }, burst: 50 },
      { env: { ENABLE_STDOUT_ALERTS: "true" } },
    );
    await using healthy = await startChecker(fixture.address, { decodeEvery: 1_000 });
    await using stuck = await startChecker(fixture.address, { feeds: ["alerts"] });
    stuck.pause();
    let scrapes = 0;
    const scraping = (async () => {
      for (;;) {
        // The port closes at the very end of the drain.
        const metrics = await readMetrics(fixture).catch(() => undefined);
        if (metrics === undefined) return;
        for (const [series, value] of metrics)
          if (series.startsWith("unaccounted_events")) assert.equal(value, 0, `${series} in scrape ${scrapes}`);
        assertAddUp(metrics);
        scrapes += 1;
      }
    })();
    for (let round = 0; round < 5; round++) {
      const passing = await startChecker(fixture.address, { feeds: ["alerts", "logs"], decodeEvery: 1_000 });
      await passing.untilEvents(2_000);
      await passing[Symbol.asyncDispose]();
      fixture.fleet.agent(round).endStreams("alerts", status.INTERNAL);
    }
    fixture.fleet.agent(1).reset();
    await healthy.untilEvents(30_000);
    const before = scrapes;
    await fixture.relay.drain(3_000);
    await scraping;
    assert.ok(before > 20, `${before} scrapes`);
  },
);

/** The sums of docs/metrics.md, from what is published. */
function assertAddUp(metrics: ReadonlyMap<string, number>): void {
  const value = (series: string) => metrics.get(series) ?? assert.fail(`There is no ${series}`);
  const sumOf = (prefix: string, feed: string) => {
    let sum = 0;
    for (const [series, count] of metrics)
      if (series.startsWith(`${prefix}{`) && series.includes(`feed="${feed}"`)) sum += count;
    return sum;
  };
  for (const feed of feeds) {
    const received = value(`received_events_total{feed="${feed}"}`);
    const labels = `{feed="${feed}"}`;
    assert.equal(
      received,
      value(`unclaimed_events_total${labels}`) +
        value(`gathered_events${labels}`) +
        value(`handed_events_total${labels}`),
    );
    // Unless the pool is closed: then they are gone, and their series with them.
    if (value('agents{state="connected"}') > 0) assert.equal(received, sumOf("node_received_events_total", feed));
    for (const consumer of ["subscriber", "stdout"]) {
      assert.equal(
        value(`${consumer}_expected_events_total${labels}`),
        sumOf(`${consumer}_events_total`, feed) + value(`${consumer}_queued_events${labels}`),
        `${consumer} of ${feed}`,
      );
    }
  }
}
