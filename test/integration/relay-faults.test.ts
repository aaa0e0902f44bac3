import assert from "node:assert/strict";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import type { Agent } from "../../hack/agents/agent.ts";
import { startFleet } from "../../hack/agents/fleet.ts";
import { type Checker, startChecker } from "../../hack/check/checker.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { type Endpoint, parseEndpoint } from "../../relay/nodes/agent.ts";
import { defaultNodeOptions } from "../../relay/nodes/node.ts";
import { NodePool } from "../../relay/nodes/node-pool.ts";
import { Slots } from "../../relay/nodes/slots.ts";
import { type RelayFixture, startRelayFixture, waitUntil } from "./relay-harness.ts";

const limit = { timeout: 60_000 };

interface Fault {
  readonly strike: (agent: Agent) => Promise<void> | void;
  /** The streams of that feed that break for it: the others must not notice. */
  readonly breaks: Readonly<Record<"alerts" | "logs" | "messages", 0 | 1>>;
}

const connection = { alerts: 1, logs: 1, messages: 1 } as const;
const alertsOnly = { alerts: 1, logs: 0, messages: 0 } as const;

const faults: Record<string, Fault> = {
  "the connection is reset": { strike: (agent) => agent.reset(), breaks: connection },
  "the agent's process ends and comes back": { strike: (agent) => agent.restart({ downMs: 100 }), breaks: connection },
  "another pod takes over the address": { strike: (agent) => agent.replace({ downMs: 100 }), breaks: connection },
  "the agent says GOAWAY and cuts": { strike: (agent) => agent.goaway({ cutAfterMs: 50 }), breaks: connection },
  "the agent says GOAWAY with an error": {
    strike: (agent) => agent.goaway({ code: 11, cutAfterMs: 50 }),
    breaks: connection,
  },
  "the agent answers with no HTTP/2 at all": { strike: (agent) => agent.garbage("http2"), breaks: connection },
  "one stream ends with an error": {
    strike: (agent) => agent.endStreams("alerts", status.INTERNAL),
    breaks: alertsOnly,
  },
  "one stream ends with OK": { strike: (agent) => agent.endStreams("alerts", status.OK), breaks: alertsOnly },
  "a message claims to be compressed": {
    strike: (agent) => {
      agent.garbage("flag");
      agent.produce("alerts", 1);
    },
    breaks: alertsOnly,
  },
  "a message claims to be too long": {
    strike: (agent) => {
      agent.garbage("length");
      agent.produce("alerts", 1);
    },
    breaks: alertsOnly,
  },
};

for (const [sentence, { strike, breaks }] of Object.entries(faults)) {
  test(`The relay is back after ${sentence}, breaks no other stream and repeats nothing`, limit, async () => {
    await using fixture = await startRelayFixture({ count: 2 });
    await using checker = await startChecker(fixture.address);
    const [struck, other] = [fixture.fleet.agent(0), fixture.fleet.agent(1)];
    await produceEverywhere(fixture, checker, 100);
    await strike(struck);
    // A log is on its way at any time: what the fault does not touch must not miss one.
    other.produce("alerts", 1);
    await fixture.statusWhen(({ feeds }) => feeds.alerts.agents.breaks > 0);
    await fixture.settled();
    await produceEverywhere(fixture, checker, 100);
    const { events, duplicates, reordered, garbage } = checker.report();
    assert.ok(events >= 1200);
    assert.deepEqual({ duplicates, reordered, garbage }, { duplicates: 0, reordered: 0, garbage: 0 });
    const { feeds } = await fixture.status();
    assert.deepEqual(
      { alerts: feeds.alerts.agents.breaks, logs: feeds.logs.agents.breaks, messages: feeds.messages.agents.breaks },
      breaks,
    );
  });
}

test("An event that is no message is forwarded as it is", limit, async () => {
  await using fixture = await startRelayFixture();
  await using checker = await startChecker(fixture.address, { feeds: ["alerts"] });
  fixture.fleet.agent(0).garbage("protobuf");
  await checker.untilGarbage(1);
  const { feeds } = await fixture.status();
  assert.equal(feeds.alerts.agents.breaks, 0);
});

test("Node finds an agent that hangs by its silence, and takes an idle one for alive", limit, async () => {
  await using fleet = await startFleet({ count: 2 });
  const received = new Map<string, number>();
  await using pool = new NodePool(
    // Agents ping every second: nothing for longer than two is silence.
    { ...defaultNodeOptions, silenceMs: 2_500, reconnect: { initialMs: 20, maxMs: 100 }, healthDeadlineMs: 500 },
    {
      publish: (feed, _, events) => received.set(feed, (received.get(feed) ?? 0) + events),
      dialling: new Slots(8),
      clock: systemClock,
      random: Math.random,
      log: silentLog,
    },
  );
  pool.update(
    "static",
    fleet.addresses.map((address) => ({ id: address, name: address, endpoints: [endpoint(address)] })),
  );
  await fleet.untilWatched();
  const [idle, hung] = pool.nodes;
  await waitUntil(() => pool.nodes.every(({ state }) => state.kind === "connected"));
  fleet.agent(1).hang();
  await waitUntil(() => hung?.state.kind === "waiting");
  assert.equal(idle?.state.kind, "connected");
  fleet.agent(1).resume();
  await waitUntil(() => hung?.state.kind === "connected" && fleet.counts()[1]?.connections === 1);
  await fleet.untilWatched();
  fleet.produce("alerts", 3);
  await waitUntil(() => (received.get("alerts") ?? 0) >= 6);
  assert.equal(received.get("alerts"), 6);
  assert.equal(
    [...(idle?.counts.values() ?? [])].reduce((sum, counts) => sum + counts.totals().breaks, 0),
    0,
  );
});

test(
  "NodePool.update() hangs up at once on an agent that is gone, and connects once to an address",
  limit,
  async () => {
    await using fleet = await startFleet({ count: 1 });
    await using pool = new NodePool(defaultNodeOptions, {
      publish() {},
      dialling: new Slots(8),
      clock: systemClock,
      random: Math.random,
      log: silentLog,
    });
    const pod = (id: string) => ({ id, name: id, endpoints: fleet.addresses.map(endpoint) });
    pool.update("kubernetes", [pod("old")]);
    await fleet.untilWatched();
    pool.update("kubernetes", [pod("new"), pod("old")]);
    assert.deepEqual(
      pool.nodes.map(({ agent }) => agent.id),
      ["new"],
    );
    await waitUntil(() => pool.nodes[0]?.state.kind === "connected" && fleet.counts()[0]?.connections === 1);
    pool.update("kubernetes", []);
    await waitUntil(() => fleet.counts()[0]?.connections === 0);
    assert.equal(pool.nodes.length, 0);
  },
);

test("Node opens a stream at once however often it ends, and misses nothing in between", limit, async () => {
  await using fleet = await startFleet({ count: 1 });
  await using pool = new NodePool(defaultNodeOptions, {
    publish() {},
    dialling: new Slots(8),
    clock: systemClock,
    random: Math.random,
    log: silentLog,
  });
  pool.update("static", [{ id: "a", name: "a", endpoints: fleet.addresses.map(endpoint) }]);
  const agent = fleet.agent(0);
  // Waits that grew would be of half a minute in the end, far over this test's limit.
  for (let round = 1; round <= 30; round++) {
    await agent.untilWatched("alerts");
    agent.produce("alerts", 1);
    await waitUntil(() => pool.nodes[0]?.counts.get("alerts")?.events === round);
    agent.endStreams("alerts", status.INTERNAL);
    await waitUntil(() => pool.totals("alerts").breaks === round);
  }
  await fleet.untilWatched();
  assert.equal(pool.totals("logs").breaks, 0);
});

test("Node counts no breaks of an agent that never answers its HealthCheck", limit, async () => {
  await using fleet = await startFleet({ count: 1 });
  fleet.agent(0).slowHealth(3_600_000);
  await using pool = new NodePool(
    { ...defaultNodeOptions, healthDeadlineMs: 100, reconnect: { initialMs: 1, maxMs: 1 } },
    { publish() {}, dialling: new Slots(8), clock: systemClock, random: Math.random, log: silentLog },
  );
  pool.update("static", [{ id: "a", name: "a", endpoints: fleet.addresses.map(endpoint) }]);
  await waitUntil(() => {
    const state = pool.nodes[0]?.state;
    return state?.kind === "connecting" && state.attempt >= 3;
  });
  assert.equal(pool.totals("alerts").breaks, 0);
});

/** Every feed of every agent, and waits for it at the subscriber. */
async function produceEverywhere(fixture: RelayFixture, checker: Checker, count: number): Promise<void> {
  const before = checker.report().events;
  for (const feed of ["alerts", "logs", "messages"] as const) fixture.fleet.produce(feed, count);
  await checker.untilEvents(before + 3 * count * fixture.fleet.agents.length);
}

function endpoint(address: string): Endpoint {
  return parseEndpoint(address) ?? assert.fail(address);
}
