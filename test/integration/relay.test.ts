import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { startChecker } from "../../hack/check/checker.ts";
import { type Clock, systemClock } from "../../lib/process/clock.ts";
import { assertConserved, assertWhole, startRelayFixture } from "./relay-harness.ts";

const limit = { timeout: 60_000 };

test("The relay hands every event of every agent to every subscriber, once and in order", limit, async () => {
  await using fixture = await startRelayFixture({ count: 5 });
  await using one = await startChecker(fixture.address);
  await using two = await startChecker(`[::1]:${fixture.relay.grpcPort}`);
  for (const feed of ["alerts", "logs", "messages"] as const) fixture.fleet.produce(feed, 400);
  await Promise.all([one.untilEvents(6000), two.untilEvents(6000)]);
  assertWhole(one, 6000);
  assertWhole(two, 6000);
  const { feeds } = await fixture.statusWhen((status) => status.feeds.messages.subscribers.delivered === 4000);
  assert.equal(feeds.alerts.received, 2000);
  assertConserved(feeds.alerts);
  assert.equal(feeds.alerts.subscribers.expected, 4000);
  assert.equal(feeds.alerts.subscribers.delivered, 4000);
});

test(
  "The relay prints the feeds that are switched on, and follows the settings file without a reset",
  limit,
  async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "relay-settings-"));
    const file = path.join(folder, "config.yaml");
    await writeFile(file, "stdout: {alerts: true}\n");
    try {
      await using fixture = await startRelayFixture({}, { flags: [`--config=${file}`] });
      await using checker = await startChecker(fixture.address);
      fixture.fleet.produce("alerts", 10);
      fixture.fleet.produce("logs", 10);
      await fixture.statusWhen(({ feeds }) => feeds.alerts.stdout.delivered === 10);
      await writeFile(file, "stdout: {alerts: false, logs: true}\n");
      // What is printed while the change is noticed does not matter; that logs appear does.
      await fixture.statusWhen(({ feeds }) => {
        fixture.fleet.produce("logs", 1);
        return feeds.logs.stdout.delivered > 0;
      });
      fixture.fleet.produce("alerts", 5);
      const { feeds } = await fixture.statusWhen((status) => status.feeds.alerts.received === 15);
      assert.equal(feeds.alerts.stdout.delivered, 10);
      assert.equal(feeds.alerts.agents.breaks + feeds.logs.agents.breaks, 0);
      const types = fixture.lines().map((line) => (JSON.parse(line) as { Type: string }).Type);
      assert.ok(
        types.slice(0, 10).every((type) => !type.endsWith("Log")),
        types.join(),
      );
      assert.ok(
        types.slice(10).every((type) => type.endsWith("Log")),
        types.join(),
      );
      assert.deepEqual(checker.report().ended, []);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

const endings: Record<string, { feed: "alerts" | "logs" | "messages"; filter: string; isServed: boolean }> = {
  "alerts with the filter all": { feed: "alerts", filter: "all", isServed: true },
  "alerts with the filter policy": { feed: "alerts", filter: "policy", isServed: true },
  "alerts with the filter of logs": { feed: "alerts", filter: "system", isServed: false },
  "alerts with no filter": { feed: "alerts", filter: "", isServed: false },
  "alerts with a filter in capitals": { feed: "alerts", filter: "All", isServed: false },
  "logs with the filter all": { feed: "logs", filter: "all", isServed: true },
  "logs with the filter system": { feed: "logs", filter: "system", isServed: true },
  "logs with the filter of alerts": { feed: "logs", filter: "policy", isServed: false },
  "logs with no filter": { feed: "logs", filter: "", isServed: false },
  "messages with no filter, as karmor asks": { feed: "messages", filter: "", isServed: true },
  "messages with any filter": { feed: "messages", filter: "whatever", isServed: true },
};
test("The relay serves or ends a stream by its filter, as agents do", limit, async (t) => {
  await using fixture = await startRelayFixture();
  for (const [sentence, { feed, filter, isServed }] of Object.entries(endings)) {
    await t.test(`${sentence}: ${isServed ? "served" : "ended with OK"}`, async () => {
      await using checker = await startChecker(fixture.address, { feeds: [feed], filter });
      if (isServed) {
        fixture.fleet.produce(feed, 1);
        await checker.untilEvents(1);
      } else {
        await checker.untilEnded(1);
        assert.deepEqual(checker.report().ended, [{ feed, code: "OK", details: "" }]);
        assert.equal(checker.report().events, 0);
      }
    });
  }
});

test("A subscriber that never reads loses its own events, counted, and nobody else's", limit, async () => {
  await using fixture = await startRelayFixture();
  await using healthy = await startChecker(fixture.address, { feeds: ["alerts"], decodeEvery: 1000 });
  await using stuck = await startChecker(fixture.address, { feeds: ["alerts"] });
  stuck.pause();
  const produced = 60_000;
  for (let sent = 0; sent < produced; sent += 500) {
    fixture.fleet.produce("alerts", 500);
    // In step with the agent's own queue of 1,000, so that what is lost is lost here.
    await healthy.untilEvents(sent + 500);
  }
  assertWhole(healthy, produced);
  const { feeds, subscribers } = await fixture.status();
  assertConserved(feeds.alerts);
  assert.ok(feeds.alerts.subscribers.dropped.mailbox > 0, "the mailbox overflowed");
  assert.equal(subscribers.find(({ counts }) => counts.dropped.mailbox === 0)?.counts.offered, produced);
});

test("Subscribers that come and go leave nothing behind", limit, async () => {
  await using fixture = await startRelayFixture({ count: 2, rates: { alerts: 500, logs: 500 } });
  for (let round = 0; round < 10; round++) {
    const checkers = await Promise.all(Array.from({ length: 10 }, () => startChecker(fixture.address)));
    await Promise.all(checkers.map((checker) => checker[Symbol.asyncDispose]()));
  }
  const { feeds } = await fixture.statusWhen(({ subscribers }) => subscribers.length === 0);
  assertConserved(feeds.alerts);
  assertConserved(feeds.logs);
  assert.equal(feeds.alerts.subscribers.queued, 0);
});

test("Relay.drain() hands over what it has, ends every stream with OK and accounts for all of it", limit, async () => {
  await using fixture = await startRelayFixture(
    { count: 3, rates: { alerts: 2000, logs: 1000 } },
    { env: { ENABLE_STDOUT_ALERTS: "true" } },
  );
  await using checker = await startChecker(fixture.address, { decodeEvery: 100 });
  await checker.untilEvents(5000);
  const before = await fixture.status();
  await fixture.relay.drain(10_000);
  await checker.untilEnded(3);
  const { ended, lost, duplicates } = checker.report();
  assert.deepEqual(
    ended.map(({ code }) => code),
    ["OK", "OK", "OK"],
  );
  assert.deepEqual([lost, duplicates], [0, 0]);
  assert.ok(fixture.lines().length >= before.feeds.alerts.received, "everything received before was printed");
  await assert.rejects(startChecker(fixture.address, { timeoutMs: 500 }), "nobody listens any more");
});

test("Relay.drain() hands over what is still being gathered", limit, async () => {
  // Nothing is ever due with this clock, so what is received stays in the hub's page.
  const clock: Clock = {
    ...systemClock,
    soon() {},
    after: (ms, then) => (ms <= 1 ? () => {} : systemClock.after(ms, then)),
  };
  await using fixture = await startRelayFixture({}, { clock });
  await using checker = await startChecker(fixture.address, { feeds: ["alerts"] });
  fixture.fleet.produce("alerts", 7);
  const { feeds } = await fixture.statusWhen((status) => status.feeds.alerts.received === 7);
  assert.equal(feeds.alerts.subscribers.offered, 0);
  await fixture.relay.drain(10_000);
  await checker.untilEnded(1);
  assertWhole(checker, 7);
});

test("The relay's metrics add up, and none goes back when agents and subscribers leave", limit, async () => {
  await using fixture = await startRelayFixture({ count: 2 }, { env: { ENABLE_STDOUT_ALERTS: "true" } });
  const metrics = async () => {
    const response = await fetch(`http://127.0.0.1:${fixture.relay.httpPort}/metrics`);
    const lines = (await response.text()).split("\n").filter((line) => line.startsWith("kubearmor_relay_"));
    return new Map(
      lines.map((line): [string, number] => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]),
    );
  };
  const checker = await startChecker(fixture.address, { feeds: ["alerts"] });
  fixture.fleet.produce("alerts", 50);
  fixture.fleet.produce("logs", 20);
  await checker.untilEvents(100);
  await fixture.statusWhen(({ feeds }) => feeds.alerts.stdout.delivered === 100 && feeds.logs.received === 40);
  const present = await metrics();
  const wanted: Readonly<Record<string, number>> = {
    'received_events_total{feed="alerts"}': 100,
    'received_events_total{feed="logs"}': 40,
    'unclaimed_events_total{feed="alerts"}': 0,
    'unclaimed_events_total{feed="logs"}': 40,
    'agents{state="connected"}': 2,
    'agents{state="waiting"}': 0,
    'subscribers{feed="alerts"}': 1,
    'subscribers{feed="logs"}': 0,
    'subscriber_events_total{feed="alerts",outcome="delivered"}': 100,
    'stdout_events_total{feed="alerts",outcome="printed"}': 100,
    'stdout_events_total{feed="logs",outcome="printed"}': 0,
    'stream_breaks_total{feed="alerts"}': 0,
    settings_errors: 0,
  };
  for (const [name, value] of Object.entries(wanted)) assert.equal(present.get(`kubearmor_relay_${name}`), value, name);

  await checker[Symbol.asyncDispose]();
  await fixture.fleet.agent(0).restart({ downMs: 10 });
  await fixture.statusWhen(({ subscribers }) => subscribers.length === 0);
  await fixture.settled();
  const later = await metrics();
  for (const [name, value] of present) {
    if (name.includes("_total"))
      assert.ok((later.get(name) ?? -1) >= value, `${name} went from ${value} to ${later.get(name)}`);
  }
  assert.equal(later.get('kubearmor_relay_stream_breaks_total{feed="logs"}'), 1);
  assert.equal(later.get('kubearmor_relay_subscribers{feed="alerts"}'), 0);
});

test("A relay that cannot listen ends, and says why", limit, async () => {
  await using fixture = await startRelayFixture();
  const args = [`-gRPCPort=${fixture.relay.grpcPort}`, "--httpPort=0", "--agents=127.0.0.1:1"];
  const main = path.join(import.meta.dirname, "..", "..", "relay", "main.ts");
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  child.stderr.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const [status] = (await once(child, "close")) as unknown[];
  assert.equal(status, 1);
  assert.match(text, /Cannot listen for gRPC on port \d+: .*EADDRINUSE/);
});
