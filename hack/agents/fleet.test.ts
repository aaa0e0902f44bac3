import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { startChecker } from "../check/checker.ts";
import { playFaults } from "./faults.ts";
import { parseFaults } from "./fault-script.ts";
import { addressAfter, startFleet } from "./fleet.ts";

function near(actual: number, wanted: number): void {
  assert.ok(Math.abs(actual - wanted) <= 1, `${actual} must be ${wanted}, one more or less`);
}

test("startFleet() produces each feed at its rate, at every agent", async () => {
  const clock = new FakeClock();
  await using fleet = await startFleet({ count: 3, rates: { alerts: 100, logs: 7 } }, { clock });
  clock.advance(2000);
  for (const agent of fleet.agents) {
    near(agent.produced("alerts"), 200);
    near(agent.produced("logs"), 14);
    assert.equal(agent.produced("messages"), 0, "agents without debug are silent");
  }
});

test("startFleet() stops a feed at its limit", async () => {
  const clock = new FakeClock();
  await using fleet = await startFleet({ rates: { alerts: 100 }, limit: 42 }, { clock });
  clock.advance(5000);
  assert.equal(fleet.agent(0).produced("alerts"), 42);
});

test("startFleet() with whenWatched produces for subscribers alone, so that they get number 1", async () => {
  const clock = new FakeClock();
  await using fleet = await startFleet({ rates: { alerts: 100, logs: 100 }, whenWatched: true }, { clock });
  clock.advance(1000);
  assert.equal(fleet.agent(0).produced("alerts"), 0);
  await using checker = await startChecker(fleet.agent(0).address, { feeds: ["alerts"] });
  await fleet.untilWatched(["alerts"]);
  clock.advance(1000);
  near(fleet.agent(0).produced("alerts"), 100);
  assert.equal(fleet.agent(0).produced("logs"), 0);
  await checker.untilEvents(fleet.agent(0).produced("alerts"));
  assert.equal(checker.report().sequences[0]?.first, 1);
});

test("startFleet() gives each agent an address of its own, on one port", async () => {
  await using first = await startFleet({ count: 1, firstAddress: "127.0.7.1" });
  const port = Number(first.addresses[0]?.split(":")[1]);
  await using fleet = await startFleet({ count: 3, firstAddress: "127.0.7.2", port });
  assert.deepEqual(fleet.addresses, [`127.0.7.2:${port}`, `127.0.7.3:${port}`, `127.0.7.4:${port}`]);
});

test("startFleet() leaves nothing open when one agent cannot listen", async () => {
  await using taken = await startFleet({});
  const port = Number(taken.addresses[0]?.split(":")[1]);
  await assert.rejects(startFleet({ count: 2, port }), /Cannot listen as an agent on 127\.0\.0\.1 port/);
});

test("addressAfter() counts through bytes and not past the end", () => {
  assert.equal(addressAfter("10.201.0.1", 0), "10.201.0.1");
  assert.equal(addressAfter("10.201.0.254", 3), "10.201.1.1");
  assert.throws(() => addressAfter("255.255.255.255", 1), RangeError);
  assert.throws(() => addressAfter("::1", 1), RangeError);
});

test("playFaults() strikes at the time, again with every, and not after disposal", async () => {
  const clock = new FakeClock();
  await using fleet = await startFleet({ count: 2 }, { clock });
  const struck: string[] = [];
  const faults = playFaults(fleet, parseFaults("1s reset agent=1; 2s slow-health by=1ms every=2s"), {
    clock,
    began: (agent, fault) => struck.push(`${clock.now()} ${fault.kind} ${agent.name}`),
    failed: (_agent, _fault, error) => assert.fail(String(error)),
  });
  clock.advance(4000);
  faults[Symbol.dispose]();
  clock.advance(10_000);
  assert.deepEqual(struck, [
    "1000 reset agent-1",
    "2000 slow-health agent-0",
    "2000 slow-health agent-1",
    "4000 slow-health agent-0",
    "4000 slow-health agent-1",
  ]);
});
