import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import type { Agent } from "./agent.ts";
import { defaultNodeOptions } from "./node-options.ts";
import { NodePool } from "./node-pool.ts";
import { type ScriptedLink, ScriptedLinks } from "./scripted-links.ts";
import { Slots } from "./slots.ts";

function setup() {
  const links = new ScriptedLinks();
  const clock = new FakeClock();
  const deps = { publish() {}, dialling: new Slots(8), clock, random: () => 0.5, log: silentLog };
  const pool = new NodePool(defaultNodeOptions, deps, links.open);
  /** Reports these agents, whose dial succeeds. */
  const update = async (...agents: Agent[]): Promise<ScriptedLink> => {
    pool.update("test", agents);
    await settled();
    const link = links.last.accept();
    await settled();
    link.answerHealth();
    await settled();
    return link;
  };
  return { pool, links, clock, update };
}

const agent = (id: string, ...hosts: string[]): Agent => ({
  id,
  name: id,
  endpoints: hosts.map((host) => ({ host, port: 1 })),
});
const event = Buffer.alloc(100);

function sums(pool: NodePool) {
  const { events, bytes, breaks } = pool.totals("alerts");
  return { events, bytes, breaks };
}

function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

test("NodePool.totals() stay what they are while nodes leave, and when they have left", async () => {
  const { pool, update } = setup();
  const first = await update(agent("a", "10.0.0.1"));
  first.stream("alerts").onRun(event, 1);
  first.stream("alerts").end({ kind: "broken", message: "reset" });
  await settled();
  const wanted = { events: 1, bytes: 100, breaks: 1 };
  assert.deepEqual(sums(pool), wanted);
  pool.update("test", []);
  assert.deepEqual(sums(pool), wanted, "leaving");
  await settled();
  assert.deepEqual(sums(pool), wanted, "gone");
  const second = await update(agent("b", "10.0.0.1"));
  second.stream("alerts").onRun(event, 1);
  assert.deepEqual(sums(pool), { events: 2, bytes: 200, breaks: 1 }, "with a successor");
  await pool[Symbol.asyncDispose]();
  assert.deepEqual(sums(pool), { events: 2, bytes: 200, breaks: 1 }, "after all");
});

test("NodePool: totals do not double while it is disposed of, nor are there nodes", async () => {
  const { pool, clock, update } = setup();
  const link = await update(agent("a", "10.0.0.1"));
  link.stream("alerts").onRun(event, 1);
  const disposed = pool[Symbol.asyncDispose]();
  assert.deepEqual(sums(pool), { events: 1, bytes: 100, breaks: 0 });
  assert.deepEqual(pool.nodes, []);
  await disposed;
  assert.deepEqual(sums(pool), { events: 1, bytes: 100, breaks: 0 });
  assert.equal(link.isDestroyed, true);
  assert.equal(clock.pendingTimers, 0);
});

test("NodePool.update() connects to nothing once it is disposed of", async () => {
  const { pool, links } = setup();
  await pool[Symbol.asyncDispose]();
  pool.update("test", [agent("a", "10.0.0.1")]);
  await settled();
  assert.equal(links.dials.length, 0);
});

test("NodePool.totals() keep openings, ends and gaps of nodes that left, and throttleNotices theirs", async () => {
  const { pool, clock, update } = setup();
  const link = await update(agent("a", "10.0.0.1"));
  const notice = Buffer.from("\0\0\0\0\x1f\x8a\x01\x0bSystemEvent\x9a\x01\x0eAlertThreshold", "latin1");
  link.stream("alerts").onRun(notice, 1);
  link.stream("alerts").end({ kind: "broken", message: "reset" });
  await settled();
  clock.advance(10);
  const { openings, ends, gaps } = pool.totals("alerts");
  const wanted = { openings, reset: ends.reset, gaps, notices: pool.throttleNotices };
  assert.deepEqual(wanted, { openings: 1, reset: 1, gaps: { count: 1, durationMs: 10 }, notices: 1 });
  pool.update("test", []);
  assert.equal(pool.throttleNotices, 1, "leaving");
  await settled();
  clock.advance(1_000);
  const after = pool.totals("alerts");
  assert.deepEqual(
    { openings: after.openings, reset: after.ends.reset, gaps: after.gaps, notices: pool.throttleNotices },
    wanted,
    "gone",
  );
  await pool[Symbol.asyncDispose]();
});

test("NodePool samples the rates of its nodes", async () => {
  const { pool, clock, update } = setup();
  const link = await update(agent("a", "10.0.0.1"));
  const [node] = pool.nodes;
  for (let second = 0; second < 70; second++) {
    link.events.onHeard();
    if (second < 50) link.stream("alerts").onRun(event, 6);
    clock.advance(1_000);
  }
  assert.deepEqual(node?.rates("alerts"), { over10s: 0, over60s: 4 });
  assert.deepEqual(node?.rates("logs"), { over10s: 0, over60s: 0 });
  await pool[Symbol.asyncDispose]();
});

const changes: Record<string, { from: Agent; to: Agent; isKept: boolean }> = {
  "the same": { from: agent("a", "10.0.0.1"), to: agent("a", "10.0.0.1"), isKept: true },
  "at an address that is spelled otherwise": { from: agent("a", "fd00::1"), to: agent("a", "FD00:0::1"), isKept: true },
  "at another address": { from: agent("a", "10.0.0.1"), to: agent("a", "10.0.0.2"), isKept: false },
  "another pod at that address": { from: agent("a", "10.0.0.1"), to: agent("b", "10.0.0.1"), isKept: false },
};
for (const [sentence, { from, to, isKept }] of Object.entries(changes)) {
  test(`NodePool.update() ${isKept ? "keeps" : "ends"} the connection of an agent that is then ${sentence}`, async () => {
    const { pool, links, update } = setup();
    const link = await update(from);
    pool.update("test", [to]);
    await settled();
    assert.equal(link.isDestroyed, !isKept);
    assert.equal(links.dials.length, isKept ? 1 : 2);
    assert.equal(pool.nodes.length, 1);
    await pool[Symbol.asyncDispose]();
  });
}

test("NodePool.hasAllStreams is whether every feed of every agent is open", async () => {
  const { pool, update } = setup();
  assert.equal(pool.hasAllStreams, true);
  const link = await update(agent("a", "10.0.0.1"));
  assert.equal(pool.hasAllStreams, true);
  link.stream("logs").end({ kind: "broken", message: "Reset" });
  await settled();
  assert.equal(pool.hasAllStreams, false);
  await pool[Symbol.asyncDispose]();
});
