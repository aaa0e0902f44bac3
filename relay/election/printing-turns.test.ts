import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../lib/kube/errors.ts";
import type { ElectionDeps } from "../../lib/kube/lease.ts";
import { settle } from "../../lib/kube/testing/recording-clock.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import type { FeedId } from "../feeds.ts";
import type { Batch } from "../hub/batch.ts";
import { noDrops, unaccounted } from "../hub/counts.ts";
import { Hub } from "../hub/hub.ts";
import { encodeFrame } from "../wire/frame-cutter.ts";
import { PrintGate, type Printer } from "./print-gate.ts";
import { PrintingTurns } from "./printing-turns.ts";

/** One Lease with optimistic locking, in nobody's way: every request is answered at once. */
class LeaseServer {
  lease: KubeObject | undefined;
  isReachable = true;
  #version = 0;

  readonly client: ElectionDeps["client"] = {
    get: () => this.#answer(() => this.lease),
    create: (_resource, object) => this.#answer(() => this.#write(object)),
    replace: (_resource, object) =>
      this.#answer(() => {
        if (object.metadata.resourceVersion !== this.lease?.metadata.resourceVersion) {
          throw new ApiError(409, { reason: "Conflict" }, { verb: "update", resource: "leases" });
        }
        return this.#write(object);
      }),
  };

  #write(object: KubeObject): KubeObject {
    this.lease = { ...object, metadata: { ...object.metadata, resourceVersion: String((this.#version += 1)) } };
    return this.lease;
  }

  #answer<T>(act: () => T): Promise<T> {
    return this.isReachable ? Promise.resolve().then(act) : Promise.reject(new Error("unreachable"));
  }
}

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

function replica(identity: string, server: LeaseServer, clock: FakeClock, maxBytes = 1 << 20): Replica {
  const hub = new Hub({ pageBytes: 1024, minIntervalMs: 1 }, clock);
  const printer = new SlowPrinter();
  const gate = new PrintGate({ maxBytes }, printer);
  hub.subscribe("alerts", gate);
  const turns = new PrintingTurns(
    { namespace: "ns", name: "lease", identity },
    { client: server.client, clock, random: () => 0.999, log: silentLog, gate, flush: () => hub.flush() },
  );
  return { hub, gate, printer, turns };
}

/** Every 100 ms an event, which all replicas receive. */
function stream(clock: FakeClock, replicas: readonly Replica[]) {
  let next = 0;
  const pass = async (ms: number, { isPrinting = true } = {}) => {
    for (let left = ms; left > 0; left -= 100) {
      const event = Buffer.alloc(4);
      event.writeUInt32BE(next++);
      for (const { hub } of replicas) hub.publish("alerts", encodeFrame(event), 1);
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
  assert.ok(queued > 0 && queued <= 60, `${queued} events are kept`);
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
  const two = replica("two", server, clock, 100);
  const events = stream(clock, [one, two]);
  await events.pass(10_000, { isPrinting: false });
  await one.turns[Symbol.asyncDispose]();
  await events.pass(5_000);
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
