import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../../lib/kube/testing/recording-clock.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import type { FeedId } from "../feeds.ts";
import type { Batch } from "../hub/batch.ts";
import { noDrops, unaccounted } from "../hub/counts.ts";
import { Hub } from "../hub/hub.ts";
import { encodeFrame } from "../wire/frame-cutter.ts";
import { PrintGate, type Printer } from "./print-gate.ts";
import { PrintingTurns } from "./printing-turns.ts";
import { LeaseServer } from "./testing/lease-server.ts";

/** Keeps what it is offered until it is told to print it. */
class SlowPrinter implements Printer {
  readonly printed: number[] = [];
  #waiting: number[] = [];
  #offered = 0;

  offer({ bytes, events }: Batch): void {
    this.#offered += events;
    for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt32BE(at + 1)) {
      this.#waiting.push(bytes.readUInt32BE(at + 5));
    }
  }

  print(): void {
    this.printed.push(...this.#waiting);
    this.#waiting = [];
  }

  counts(feed: FeedId) {
    const isOurs = feed === "alerts";
    const delivered = isOurs ? this.printed.length : 0;
    const queued = isOurs ? this.#waiting.length : 0;
    const counts = {
      offered: isOurs ? this.#offered : 0,
      delivered,
      filtered: 0,
      unreadable: 0,
      dropped: noDrops(),
      queued,
    };
    return { ...counts, printed: delivered, droppedBy: {} };
  }
}

interface Replica {
  readonly hub: Hub;
  readonly gate: PrintGate;
  readonly printer: SlowPrinter;
  readonly turns: PrintingTurns;
}

interface ReplicaOptions {
  readonly maxBytes?: number;
  /** How soon it tries again, as part of the longest time. */
  readonly random?: number;
  readonly isReceiving?: () => boolean;
}

function replica(
  identity: string,
  server: Pick<LeaseServer, "client">,
  clock: FakeClock,
  { maxBytes = 1 << 20, random = 0.999, isReceiving }: ReplicaOptions = {},
): Replica {
  const hub = new Hub({ pageBytes: 1024, minIntervalMs: 1 }, clock);
  const printer = new SlowPrinter();
  const gate = new PrintGate({ maxBytes }, printer);
  hub.subscribe("alerts", gate);
  const turns = new PrintingTurns(
    { namespace: "ns", name: "lease", identity },
    { client: server.client, clock, random: () => random, log: silentLog, gate, flush: () => hub.flush(), isReceiving },
  );
  return { hub, gate, printer, turns };
}

/** Every 100 ms an event, which all replicas receive. */
function stream(clock: FakeClock, replicas: readonly Replica[]) {
  let next = 0;
  const pass = async (ms: number, { isPrinting = true, received = replicas } = {}) => {
    for (let left = ms; left > 0; left -= 100) {
      const event = Buffer.alloc(4);
      event.writeUInt32BE(next++);
      for (const { hub } of received) hub.publish("alerts", encodeFrame(event), 1);
      clock.advance(100);
      await settle();
      for (const { gate } of replicas) {
        const counts = gate.counts("alerts");
        assert.equal(unaccounted({ ...counts, expected: counts.offered }), 0);
      }
      if (isPrinting) for (const { printer, turns } of replicas) if (turns.mayPrint()) printer.print();
    }
  };
  return { pass, numbers: () => Array.from({ length: next }, (_item, number) => number) };
}

function unionOf(...replicas: readonly Replica[]): readonly number[] {
  return [...new Set(replicas.flatMap(({ printer }) => printer.printed))].toSorted((a, b) => a - b);
}

async function stop(...replicas: readonly Replica[]): Promise<void> {
  for (const { turns } of replicas) await turns[Symbol.asyncDispose]();
}

/** How many are among those of both. */
function repeatedBy(first: Replica, second: Replica): number {
  const known = new Set(first.printer.printed);
  return second.printer.printed.filter((number) => known.has(number)).length;
}

test("PrintingTurns: a single replica prints from its first event on, and nothing twice", async () => {
  const clock = new FakeClock();
  const one = replica("one", new LeaseServer(), clock);
  const events = stream(clock, [one]);
  await events.pass(5_000);
  assert.deepEqual(one.printer.printed, events.numbers());
  const { isLeader, holder, terms, repeated, missing } = one.turns.status;
  assert.deepEqual([isLeader, holder, terms, repeated.alerts, missing.alerts], [true, "one", 1, 0, 0]);
  await stop(one);
  assert.equal(clock.pendingTimers, 0);
});

test("PrintingTurns: a standby forgets what the holder vouches for, and keeps what it has not printed", async () => {
  const clock = new FakeClock();
  const server = new LeaseServer();
  const one = replica("one", server, clock);
  await settle();
  const two = replica("two", server, clock);
  const events = stream(clock, [one, two]);
  await events.pass(20_000);
  const { queued } = two.gate.counts("alerts");
  // Some 4 s of the newest, and of the first 3 s, of which the holder could not know whether it had received all.
  assert.ok(queued > 0 && queued <= 80, `${queued} events are kept`);
  // The holder's own output stands still: it renews, but vouches for nothing more.
  await events.pass(20_000, { isPrinting: false });
  assert.ok(two.gate.counts("alerts").queued >= 200);
  assert.equal(two.turns.status.holder, "one");
  await stop(one, two);
});

for (const [sentence, end] of Object.entries({
  "gives its turn back": (one: Replica) => one.turns[Symbol.asyncDispose](),
  "is cut off": () => Promise.resolve(),
})) {
  test(`PrintingTurns: when the holder ${sentence}, the next one prints all that it had not`, async () => {
    const clock = new FakeClock();
    const server = new LeaseServer();
    const one = replica("one", server, clock);
    await settle();
    const two = replica("two", server, clock);
    const both = stream(clock, [one, two]);
    await both.pass(10_000);
    await both.pass(3_000, { isPrinting: false });
    // Nothing of these 3 s will be printed by the first one any more.
    one.turns.mayPrint = () => false;
    one.turns.endInput();
    await end(one);
    await both.pass(1_000);
    if (sentence === "is cut off") await stop(one);
    await both.pass(20_000);
    assert.deepEqual(unionOf(one, two), both.numbers());
    const { repeated, missing } = two.turns.status;
    assert.ok(repeatedBy(one, two) <= repeated.alerts);
    assert.ok(repeatedBy(one, two) < 60, "seconds at most");
    assert.equal(missing.alerts, 0);
    await stop(one, two);
  });
}

test("PrintingTurns: what there was no room for is counted as missing", async () => {
  const clock = new FakeClock();
  const server = new LeaseServer();
  const one = replica("one", server, clock);
  await settle();
  const two = replica("two", server, clock, { maxBytes: 100 });
  const events = stream(clock, [one, two]);
  await events.pass(10_000, { isPrinting: false });
  await one.turns[Symbol.asyncDispose]();
  await events.pass(10_000);
  const { missing } = two.turns.status;
  const lost = events.numbers().length - unionOf(two).length;
  assert.ok(lost > 0);
  assert.equal(missing.alerts, lost);
  assert.equal(two.gate.counts("alerts").dropped.mailbox, lost);
  await stop(two);
});

test("PrintingTurns: nobody prints while the API server is away, and nothing of that time is lost", async () => {
  const clock = new FakeClock();
  const server = new LeaseServer();
  const one = replica("one", server, clock);
  await settle();
  const two = replica("two", server, clock);
  const events = stream(clock, [one, two]);
  await events.pass(10_000);
  server.isReachable = false;
  await events.pass(30_000);
  assert.equal(one.turns.mayPrint(), false);
  assert.equal(two.turns.mayPrint(), false);
  server.isReachable = true;
  await events.pass(20_000);
  assert.deepEqual(unionOf(one, two), events.numbers());
  assert.notEqual(one.turns.mayPrint(), two.turns.mayPrint());
  await stop(one, two);
});

/** The server, as one replica reaches it that may crash. */
function crashing(server: LeaseServer) {
  const state = { hasCrashed: false };
  const through = <T>(act: () => Promise<T>) => (state.hasCrashed ? new Promise<never>(() => {}) : act());
  const client: LeaseServer["client"] = {
    get: (...args) => through(() => server.client.get(...args)),
    create: (...args) => through(() => server.client.create(...args)),
    replace: (...args) => through(() => server.client.replace(...args)),
  };
  return { state, client };
}

for (const [sentence, { isGraceful, awayMs }] of Object.entries({
  "is deleted": { isGraceful: true, awayMs: 1_000 },
  crashes: { isGraceful: false, awayMs: 700 },
})) {
  for (const beforeMs of [9_500, 10_200, 10_600]) {
    test(`PrintingTurns: when the holder ${sentence} after ${beforeMs} ms, its successor leaves the turn to who was there`, async () => {
      const clock = new FakeClock();
      const server = new LeaseServer();
      const { state, client } = crashing(server);
      const one = replica("one", { client }, clock);
      await settle();
      clock.advance(700);
      const two = replica("two", server, clock);
      const both = stream(clock, [one, two]);
      await both.pass(beforeMs);
      if (isGraceful) {
        one.turns.endInput();
        await one.turns[Symbol.asyncDispose]();
      } else {
        state.hasCrashed = true;
        one.turns.mayPrint = () => false;
      }
      await both.pass(awayMs, { received: [two] });
      // Quicker than the other one to ask for the lease, and without any event at first.
      const again = replica("again", server, clock, { random: 0 });
      await both.pass(500, { received: [two] });
      const events = { pass: both.pass, received: [two, again] };
      for (let second = 0; second < 40; second++) {
        await events.pass(1_000, { received: events.received });
        if (again.turns.mayPrint()) again.printer.print();
      }
      assert.deepEqual(unionOf(one, two, again), both.numbers());
      assert.equal(two.turns.status.isLeader, true);
      if (!isGraceful) server.isReachable = false;
      await stop(two, again);
    });
  }
}

test("PrintingTurns: a replica keeps for its own turn what the holder has not received, however long that takes", async () => {
  const clock = new FakeClock();
  const server = new LeaseServer();
  const one = replica("one", server, clock);
  await settle();
  const two = replica("two", server, clock);
  const three = replica("three", server, clock, { random: 0 });
  const events = stream(clock, [one, two, three]);
  await events.pass(10_000, { received: [one, two] });
  one.turns.endInput();
  await one.turns[Symbol.asyncDispose]();
  // The second one does not get at the lease, so that the third one takes it, which has received nothing yet.
  const { client } = server;
  const { replace } = client;
  Object.assign(client, {
    replace: (...args: Parameters<typeof replace>) =>
      (args[1]["spec"] as { readonly holderIdentity: string }).holderIdentity === "two"
        ? Promise.reject(new Error("not now"))
        : replace(...args),
  });
  await events.pass(8_000, { received: [two] });
  assert.equal(three.turns.mayPrint(), true);
  await events.pass(120_000, { received: [two, three] });
  assert.equal(three.turns.status.holder, "three");
  assert.ok(two.gate.counts("alerts").queued >= 80);
  assert.ok(two.gate.counts("alerts").queued < 200);
  Object.assign(client, { replace });
  await three.turns[Symbol.asyncDispose]();
  await events.pass(5_000, { received: [two] });
  assert.deepEqual(unionOf(one, two, three), events.numbers());
  await stop(two);
});

test("PrintingTurns: what the successor had no room for is kept by the one that had, for its own turn", async () => {
  const clock = new FakeClock();
  const server = new LeaseServer();
  const one = replica("one", server, clock);
  await settle();
  const two = replica("two", server, clock, { maxBytes: 100, random: 0 });
  const three = replica("three", server, clock);
  const events = stream(clock, [one, two, three]);
  await events.pass(5_000);
  // The holder's own output stands still, and then it ends.
  await events.pass(30_000, { isPrinting: false });
  one.turns.mayPrint = () => false;
  await one.turns[Symbol.asyncDispose]();
  await events.pass(20_000);
  assert.equal(two.turns.status.isLeader, true);
  assert.ok(two.turns.status.missing.alerts > 0);
  await two.turns[Symbol.asyncDispose]();
  await events.pass(10_000);
  assert.equal(three.turns.status.isLeader, true);
  assert.deepEqual(unionOf(one, two, three), events.numbers());
  await stop(three);
});

test("PrintingTurns: the holder says since when it receives, not since when it runs", async () => {
  const clock = new FakeClock();
  const server = new LeaseServer();
  let isReceiving = false;
  const one = replica("one", server, clock, { isReceiving: () => isReceiving });
  const events = stream(clock, [one]);
  await events.pass(4_100);
  assert.equal(annotations(server)["operator.kubearmor.com/receiving-ms"], "0");
  isReceiving = true;
  await events.pass(4_000);
  const said = Number(annotations(server)["operator.kubearmor.com/receiving-ms"]);
  assert.ok(said > 1_000 && said <= 4_000, `${said} ms`);
  await stop(one);
});

test("PrintingTurns: an agent that cannot be reached does not keep a replica from receiving for ever", async () => {
  const clock = new FakeClock();
  const server = new LeaseServer();
  const one = replica("one", server, clock, { isReceiving: () => false });
  await stream(clock, [one]).pass(30_100);
  const said = Number(annotations(server)["operator.kubearmor.com/receiving-ms"]);
  assert.ok(said >= 17_900 && said <= 20_100, `${said} ms`);
  await stop(one);
});

test("PrintingTurns: events that reach the holder almost a second later than others are not lost with it", async () => {
  const clock = new FakeClock();
  const server = new LeaseServer();
  const { state, client } = crashing(server);
  const one = replica("one", { client }, clock);
  await settle();
  // It looks at the lease every second, just before it is renewed.
  clock.advance(850);
  const two = replica("two", server, clock, { random: 0 });
  await settle();
  let next = 0;
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 100) {
      for (const [{ hub }, number] of [[two, next] as const, [one, next - 9] as const]) {
        const event = Buffer.alloc(4);
        if (number < 0) continue;
        event.writeUInt32BE(number);
        hub.publish("alerts", encodeFrame(event), 1);
      }
      next += 1;
      clock.advance(100);
      await settle();
      for (const { printer, turns } of [one, two]) if (turns.mayPrint()) printer.print();
    }
  };
  // Until just after a renewal.
  await pass(9_200);
  state.hasCrashed = true;
  one.turns.mayPrint = () => false;
  await pass(25_000);
  assert.equal(two.turns.status.isLeader, true);
  assert.deepEqual(
    unionOf(one, two),
    Array.from({ length: next }, (_item, number) => number),
  );
  await stop(two);
});

test("PrintingTurns.endInput(): what counts is when the input ended first", async () => {
  const clock = new FakeClock();
  const server = new LeaseServer();
  const one = replica("one", server, clock);
  await stream(clock, [one]).pass(2_000);
  one.turns.endInput();
  clock.advance(3_000);
  one.turns.endInput();
  await stop(one);
  assert.equal(annotations(server)["operator.kubearmor.com/unprinted-ms"], "3000");
});

test("PrintingTurns.status: who has not been told yet that its turn is over does not say that it is", async () => {
  const clock = new FakeClock();
  const one = replica("one", new LeaseServer(), clock);
  await settle();
  assert.equal(one.turns.status.isLeader, true);
  // No turn of the event loop between.
  clock.advance(20_000);
  assert.deepEqual([one.gate.isOpen, one.turns.status.isLeader], [true, false]);
  await stop(one);
});

test("PrintingTurns.giveUp() gives the lease back for good, and vouches for nothing that was not printed", async () => {
  const clock = new FakeClock();
  const server = new LeaseServer();
  const one = replica("one", server, clock);
  await settle();
  const two = replica("two", server, clock);
  const events = stream(clock, [one, two]);
  await events.pass(10_000);
  await events.pass(3_000, { isPrinting: false });
  one.turns.giveUp();
  await events.pass(5_000);
  assert.equal(two.turns.status.isLeader, true);
  await two.turns[Symbol.asyncDispose]();
  await events.pass(30_000);
  assert.equal(one.turns.mayPrint(), false);
  assert.equal(one.turns.status.isLeader, false);
  const numbers = unionOf(one, two);
  assert.deepEqual(
    numbers,
    Array.from({ length: 180 }, (_item, number) => number),
  );
  // What comes is left to the printer, which can say best that it is of no use.
  assert.equal(one.gate.isOpen, true);
  await stop(one);
});

function annotations({ lease }: LeaseServer): Readonly<Record<string, string>> {
  return lease?.metadata.annotations ?? {};
}
