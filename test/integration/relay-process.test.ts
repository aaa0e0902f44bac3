import assert from "node:assert/strict";
import { test } from "node:test";
import { createInterface } from "node:readline";
import { startFleet } from "../../hack/agents/fleet.ts";
import { startChecker } from "../../hack/check/checker.ts";
import { type ConsumerLedger, sumOf, unaccounted } from "../../relay/hub/counts.ts";
import { encodeFrame } from "../../relay/wire/frame-cutter.ts";
import { flag, frameType, RawConnection } from "./raw-http2.ts";
import { assertConserved, assertWhole, waitUntil } from "./relay-harness.ts";
import { freePorts, type RelayProcess, startRelayProcess } from "./relay-process.ts";

const limit = { timeout: 90_000 };
const alerts = "/feeder.LogService/WatchAlerts";
const filterAll = encodeFrame(Buffer.from([0x0a, 3, ...Buffer.from("all")]));

test("A stdout that nobody reads delays no event, no PING and no agent", limit, async () => {
  // These agents cut who does not answer a PING in half a second.
  await using fleet = await startFleet({ count: 2, keepalive: { timeMs: 100, timeoutMs: 500 } });
  await using relay = await startRelayProcess({
    flags: [`--agents=${fleet.addresses.join(",")}`],
    env: { ENABLE_STDOUT_ALERTS: "true" },
  });
  await fleet.untilWatched();
  await using checker = await startChecker(relay.address, { feeds: ["alerts"], decodeEvery: 1_000 });
  using raw = await RawConnection.connect(relay.grpcPort);
  raw.greet();
  const produced = await produceUntilStdoutDrops(relay, (count) => fleet.produce("alerts", count / 2), checker);
  assertWhole(checker, produced);

  const ping = Buffer.from("are you?");
  raw.control(frameType.ping, 0, ping);
  await raw.frame(({ type, flags, payload }) => type === frameType.ping && flags === flag.ack && payload.equals(ping));
  assert.equal(await checker.healthCheck(7), 7);
  const { feeds } = await relay.status();
  assertConserved(feeds.alerts);
  assert.ok(feeds.alerts.stdout.queued > 0);
  assert.equal(feeds.alerts.agents.breaks, 0);
  assert.equal(sumOf(feeds.alerts.subscribers.dropped), 0);

  // When somebody reads again, what was kept comes out.
  let lines = 0;
  createInterface({ input: relay.stdout }).on("line", () => {
    lines += 1;
  });
  const { feeds: later } = await relay.statusWhen((status) => status.feeds.alerts.stdout.queued === 0);
  await waitUntil(() => lines === later.alerts.stdout.delivered);
  assert.equal(lines + sumOf(later.alerts.stdout.dropped), produced);
});

test("A stderr that nobody reads delays nothing either", limit, async () => {
  await using fleet = await startFleet({ count: 1, keepalive: { timeMs: 100, timeoutMs: 500 } });
  await using relay = await startRelayProcess({
    flags: [`--agents=${fleet.addresses.join(",")}`, "--logLevel=debug"],
    ports: await freePorts(),
  });
  await fleet.untilWatched();
  await using checker = await startChecker(relay.address, { feeds: ["alerts"] });
  // Each is a line of some 100 bytes in the log; a pipe holds 64 KiB.
  for (let sent = 0; sent < 2_000; sent += 1) {
    using garbage = await RawConnection.connect(relay.grpcPort);
    garbage.socket.write("x");
    await garbage.closed;
  }
  fleet.produce("alerts", 10);
  await checker.untilEvents(10);
  assertWhole(checker, 10);
  assert.equal((await relay.status()).feeds.alerts.agents.breaks, 0);
});

test("SIGTERM under load: all that came in is delivered or counted, streams end with OK, status 0", limit, async () => {
  await using fleet = await startFleet({ count: 20 });
  await using relay = await startRelayProcess({
    flags: [`--agents=${fleet.addresses.join(",")}`],
    env: { ENABLE_STDOUT_ALERTS: "true" },
  });
  let lines = 0;
  const printed = createInterface({ input: relay.stdout }).on("line", () => {
    lines += 1;
  });
  const printedAll = new Promise((resolve) => printed.once("close", resolve));
  await using stack = new AsyncDisposableStack();
  const open = async () => stack.use(await startChecker(relay.address, { feeds: ["alerts"], decodeEvery: 1_000 }));
  const healthy = await Promise.all(Array.from({ length: 5 }, open));
  const watch = async (windowBytes: number) => {
    const connection = stack.use(await RawConnection.connect(relay.grpcPort));
    connection.greet(windowBytes).takeMore(0, 2 ** 31 - 1 - 65_535);
    connection.call(1, alerts).data(1, filterAll, true);
    await connection.frame(({ streamId }) => streamId === 1);
    return connection;
  };
  const observer = await watch(2 ** 31 - 1);
  await Promise.all([watch(0), watch(0)]);
  await fleet.untilWatched();
  const load = setInterval(() => fleet.produce("alerts", 3), 10);
  stack.defer(() => clearInterval(load));
  await Promise.all(healthy.map((checker) => checker.untilEvents(10_000)));

  relay.child.kill("SIGTERM");
  await Promise.all(healthy.map((checker) => checker.untilEnded(1)));
  await observer.closed;
  const end = observer.frames.findIndex(({ streamId, flags }) => streamId === 1 && (flags & flag.endStream) !== 0);
  const goaway = observer.frames.findIndex(({ type }) => type === frameType.goaway);
  assert.ok(goaway >= 0 && goaway < end, "GOAWAY, then trailers");
  for (const checker of healthy) {
    const { ended, lost, duplicates, reordered } = checker.report();
    assert.deepEqual([ended.map(({ code }) => code), lost, duplicates, reordered], [["OK"], 0, 0, 0]);
  }
  assert.deepEqual(await relay.exited, { code: 0, signal: null });

  const { feeds } = (await relay.logged("Relay has drained")) as unknown as {
    readonly feeds: { readonly alerts: ConsumerLedger };
  };
  const ledger = feeds.alerts;
  assert.equal(unaccounted(ledger), 0);
  assert.equal(ledger.queued, 0);
  // Everybody was there from the first event to the last.
  const received = healthy[0]?.report().events ?? 0;
  for (const checker of healthy) assert.equal(checker.report().events, received);
  await printedAll;
  assert.equal(lines, received);
  assert.equal(ledger.expected, 8 * received);
  assert.ok(ledger.delivered >= 6 * received);
  assert.ok(sumOf(ledger.dropped) > 0, "what the stuck ones did not take is counted");
});

test("A second signal ends the relay at once, with status 1", limit, async () => {
  await using fleet = await startFleet({ count: 1 });
  await using relay = await startRelayProcess({ flags: [`--agents=${fleet.addresses.join(",")}`] });
  await fleet.untilWatched();
  // What it holds for this one would keep it for its whole deadline.
  using stuck = await RawConnection.connect(relay.grpcPort);
  stuck.greet(0).call(1, alerts).data(1, filterAll, true);
  await stuck.frame(({ streamId }) => streamId === 1);
  fleet.produce("alerts", 10);
  await relay.statusWhen(({ feeds }) => feeds.alerts.subscribers.queued === 10);
  relay.child.kill("SIGTERM");
  await relay.logged(/draining/);
  await stuck.frame(({ type }) => type === frameType.goaway);
  relay.child.kill("SIGTERM");
  assert.deepEqual(await relay.exited, { code: 1, signal: null });
  assert.ok(!relay.log.some(({ message }) => message === "Relay has drained"));
});

/** In steps that the agents' own queues can hold, so that what is lost is lost at stdout. */
async function produceUntilStdoutDrops(
  relay: RelayProcess,
  produce: (count: number) => void,
  checker: { untilEvents(count: number): Promise<void> },
): Promise<number> {
  let produced = 0;
  for (;;) {
    produce(1_000);
    produced += 1_000;
    await checker.untilEvents(produced);
    if (produced % 10_000 !== 0) continue;
    const { feeds } = await relay.status();
    if (sumOf(feeds.alerts.stdout.dropped) > 0) return produced;
  }
}
