import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type AgentFleet, startFleet } from "../../hack/agents/fleet.ts";
import { type ControlPlane, startControlPlane } from "../../hack/testbed/control-plane.ts";
import { waitUntil } from "./relay-harness.ts";
import { type RelayReplica, startReplica } from "./relay-replica.ts";

const limit = { timeout: 120_000 };
let plane: ControlPlane;

before(async () => {
  plane = await startControlPlane();
});
after(() => plane[Symbol.asyncDispose]());

function replica(fleet: AgentFleet, lease: string, identity: string): Promise<RelayReplica> {
  return startReplica(
    [
      "--discovery=static",
      `--agents=${fleet.addresses.join(",")}`,
      `--kubeconfig=${plane.kubeconfig}`,
      `--lease=default/${lease}`,
      `--identity=${identity}`,
    ],
    { ENABLE_STDOUT_ALERTS: "true" },
  );
}

function alertsAllTheTime(fleet: AgentFleet): Disposable {
  const timer = setInterval(() => fleet.produce("alerts", 2), 10);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function keysOf(...relays: readonly RelayReplica[]): ReadonlySet<string> {
  return new Set(relays.flatMap(({ lines }) => lines.map(({ key }) => key)));
}

function lastOf({ lines }: RelayReplica): number {
  return lines.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
}

function firstOf({ lines }: RelayReplica): number {
  return lines[0]?.atMs ?? Number.POSITIVE_INFINITY;
}

/** Every event once at most. */
function assertNoneTwice({ lines }: RelayReplica): void {
  assert.equal(new Set(lines.map(({ key }) => key)).size, lines.length);
}

interface TurnLine {
  readonly after: string;
  readonly repeatedAtMost: Readonly<Record<string, number>>;
  readonly missingAtMost: Readonly<Record<string, number>>;
}

test(
  "Replicas with a Lease: one prints at a time, and neither kill -9 nor SIGTERM of it loses a line",
  limit,
  async () => {
    await using fleet = await startFleet({ count: 2 });
    await using first = await replica(fleet, "relay", "first");
    const firstTurn = (await first.until("Printing from now on")) as unknown as TurnLine;
    assert.equal(firstTurn.after, "nobody");
    await fleet.untilWatched(["alerts"]);
    using producing = alertsAllTheTime(fleet);
    await using second = await replica(fleet, "relay", "second");
    await fleet.untilWatched(["alerts"], 2);
    // Long enough that the standby has seen renewals, and has forgotten what they vouch for.
    await waitUntil(async () => filteredOf(await second.statusz()) > 0);
    assert.equal(second.lines.length, 0);

    await first.end("SIGKILL");
    const secondTurn = (await second.until("Printing from now on")) as unknown as TurnLine;
    assert.equal(secondTurn.after, "silence");
    assert.equal(secondTurn.missingAtMost["alerts"], 0);
    await waitUntil(() => second.lines.length > 0);
    const repeated = second.lines.filter(({ key }) => keysOf(first).has(key)).length;
    assert.ok(repeated <= (secondTurn.repeatedAtMost["alerts"] ?? 0), `${repeated} lines are there twice`);

    await using third = await replica(fleet, "relay", "third");
    await fleet.untilWatched(["alerts"], 2);
    await waitUntil(async () => filteredOf(await third.statusz()) > 0);
    assert.equal(await second.end("SIGTERM"), 0);
    const thirdTurn = (await third.until("Printing from now on")) as unknown as TurnLine;
    assert.equal(thirdTurn.after, "release");
    assert.equal(thirdTurn.missingAtMost["alerts"], 0);

    producing[Symbol.dispose]();
    const produced = fleet.agents.reduce((sum, agent) => sum + agent.produced("alerts"), 0);
    await waitUntil(() => keysOf(first, second, third).size >= produced);
    assert.equal(keysOf(first, second, third).size, produced);
    for (const relay of [first, second, third]) assertNoneTwice(relay);
    assert.ok(lastOf(first) < firstOf(second), "the second printed nothing before the first had ended");
    assert.ok(lastOf(second) < firstOf(third), "the third printed nothing before the second had ended");
  },
);

test("A replica that stood still beyond its turn prints nothing before it is its turn again", limit, async () => {
  await using fleet = await startFleet({ rates: { alerts: 100 }, whenWatched: true });
  await using first = await replica(fleet, "still", "first");
  await first.until("Printing from now on");
  await using second = await replica(fleet, "still", "second");
  await waitUntil(() => first.lines.length > 0);
  first.process.kill("SIGSTOP");
  // What it had written before may still be on its way.
  await pause(200);
  const printed = first.lines.length;
  await second.until("Printing from now on");
  first.process.kill("SIGCONT");
  await first.until("Stopped printing");
  const grown = second.lines.length;
  await waitUntil(() => second.lines.length > grown + 100);
  assert.equal(first.lines.length, printed);
});

function filteredOf(status: Readonly<Record<string, unknown>>): number {
  const { feeds } = status as {
    readonly feeds: { readonly alerts: { readonly stdout: { readonly filtered: number } } };
  };
  return feeds.alerts.stdout.filtered;
}
