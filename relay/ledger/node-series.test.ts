import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { FeedCounts } from "./feed-counts.ts";
import { type CountedNode, NodeSeries } from "./node-series.ts";

interface FakeNode extends CountedNode {
  readonly alerts: FeedCounts;
}

const clock = new FakeClock(10_000);

/** A connected node with that many alerts of 10 bytes, a gap of a second and as many throttle notices as alerts. */
function fakeNode(name: string, events: number): FakeNode {
  const alerts = new FeedCounts(clock);
  alerts.opened();
  alerts.ended("reset");
  clock.advance(1_000);
  alerts.opened();
  alerts.received(events, events * 10);
  const counts = new Map([["alerts", alerts]] as const);
  return { agent: { name }, state: { kind: "connected" }, counts, throttle: { notices: events }, alerts };
}

/** Events by label, of alerts. */
function eventsOf(series: NodeSeries, ...nodes: readonly CountedNode[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    series.samples(nodes).map(({ labels, feeds }) => [labels.slice('node="'.length, -1), feeds[0]?.events ?? -1]),
  );
}

test("NodeSeries.samples() has every count of a node", () => {
  const node = fakeNode("a", 3);
  const lastEventMs = clock.now();
  const [sample, ...more] = new NodeSeries({ maxNodes: 10 }).samples([node]);
  assert.deepEqual(more, []);
  assert.deepEqual({ ...sample, feeds: undefined }, { labels: 'node="a"', connected: 1, notices: 3, feeds: undefined });
  const empty = { events: 0, bytes: 0, gaps: 0, gapSeconds: 0, openStreams: 0, lastEventMs: 0 };
  assert.deepEqual(sample?.feeds, [
    {
      labels: 'node="a",feed="alerts"',
      events: 3,
      bytes: 30,
      gaps: 1,
      gapSeconds: 1,
      openStreams: 1,
      lastEventMs,
    },
    { labels: 'node="a",feed="logs"', ...empty },
    { labels: 'node="a",feed="messages"', ...empty },
  ]);
});

test("NodeSeries.samples() sums agents of one name, so that no series is there twice", () => {
  const waiting: CountedNode = { ...fakeNode("a", 2), state: { kind: "waiting" } };
  const [sample, ...more] = new NodeSeries({ maxNodes: 10 }).samples([fakeNode("a", 3), waiting]);
  assert.equal(more.length, 0);
  assert.deepEqual([sample?.connected, sample?.notices], [1, 5]);
  const [alerts] = sample?.feeds ?? [];
  assert.deepEqual(
    [alerts?.events, alerts?.bytes, alerts?.gaps, alerts?.gapSeconds, alerts?.openStreams],
    [5, 50, 2, 2, 2],
  );
});

test("NodeSeries.samples(): a node's counters go on when its agent is replaced, and end when it is gone", () => {
  const series = new NodeSeries({ maxNodes: 10 });
  const [old, successor] = [fakeNode("a", 3), fakeNode("a", 2)];
  assert.deepEqual(eventsOf(series, old), { a: 3 });
  assert.deepEqual(eventsOf(series, successor), { a: 5 });
  const [sample] = series.samples([successor]);
  assert.deepEqual([sample?.notices, sample?.feeds[0]?.bytes, sample?.feeds[0]?.gaps], [5, 50, 2]);
  assert.deepEqual(eventsOf(series), {});
  assert.deepEqual(eventsOf(series, fakeNode("a", 1)), { a: 1 });
});

test("NodeSeries.samples(): names beyond the bound are summed, for good, and never go back", () => {
  const series = new NodeSeries({ maxNodes: 2 });
  const [a, b, c, d, e] = [1, 2, 4, 8, 16].map((events, index) => fakeNode("abcde".charAt(index), events));
  if (a === undefined || b === undefined || c === undefined || d === undefined || e === undefined) assert.fail();
  assert.deepEqual(eventsOf(series, a, b, c, d), { a: 1, b: 2, _other: 12 });
  c.alerts.received(1, 1);
  assert.deepEqual(eventsOf(series, a, b, c, d), { a: 1, b: 2, _other: 13 });
  assert.deepEqual(eventsOf(series, b, c, d), { b: 2, _other: 13 }, "nobody moves up");
  assert.deepEqual(eventsOf(series, b, d, e), { b: 2, e: 16, _other: 13 }, "a new name takes the place");
  assert.deepEqual(eventsOf(series), { _other: 13 });
});
