import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { settle } from "../lib/kube/testing/recording-clock.ts";
import type { KubeClient } from "../lib/kube/types.ts";
import { FakeClock } from "../lib/process/fake-clock.ts";
import { silentLog } from "../lib/process/log.ts";
import { LeaseServer } from "./election/testing/lease-server.ts";
import { Hub } from "./hub/hub.ts";
import { type Printing, startPrinting } from "./printing.ts";
import type { WriteResult } from "./sinks/chunk-writer.ts";
import { encodeFrame } from "./wire/frame-cutter.ts";

/** A reader of stdout that can be slow, or gone. */
class Reader {
  state: "reading" | "stuck" = "reading";
  lines = 0;
  #waiting = (_result: WriteResult) => {};
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  write(chunk: Buffer, done: (result: WriteResult) => void): void {
    if (this.state === "stuck") {
      this.#waiting = done;
      return;
    }
    this.#clock.soon(() => {
      this.lines += chunk.toString().split("\n").length - 1;
      done({ kind: "written" });
    });
  }

  /** While it is stuck. */
  leave(): void {
    this.#waiting({ kind: "closed", error: new Error("EPIPE") });
  }

  close(): void {}
}

interface Replica {
  readonly hub: Hub;
  readonly printing: Printing;
  readonly reader: Reader;
  readonly warnings: string[];
}

function start(server: Pick<LeaseServer, "client">, clock: FakeClock, identity: string): Replica {
  const hub = new Hub({ pageBytes: 4096, minIntervalMs: 1 }, clock);
  const reader = new Reader(clock);
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (message: string) => warnings.push(message), with: () => log };
  const client = { ...server.client, [Symbol.asyncDispose]: () => Promise.resolve() } as unknown as KubeClient &
    AsyncDisposable;
  const printing = startPrinting(
    { maxQueueBytes: 1 << 20, lease: { namespace: "ns", name: "lease" }, identity },
    { writer: reader, hub, newClient: () => client, clock, random: () => 0.5, log },
  );
  printing.apply({ alerts: true, logs: false, messages: false });
  return { hub, printing, reader, warnings };
}

const event = encodeFrame(Buffer.alloc(0));

async function pass(clock: FakeClock, ms: number, ...replicas: readonly Replica[]): Promise<void> {
  for (let left = ms; left > 0; left -= 100) {
    for (const { hub } of replicas) hub.publish("alerts", event, 1);
    clock.advance(100);
    await settle();
  }
}

/** With time that passes meanwhile. */
async function drain(clock: FakeClock, { hub, printing }: Replica, deadline: AbortSignal): Promise<void> {
  printing.endInput();
  hub.flush();
  const state = { isOver: false };
  const drained = printing.drain(deadline).finally(() => {
    state.isOver = true;
  });
  while (!state.isOver) {
    clock.advance(100);
    await settle();
  }
  await drained;
}

const never = new AbortController().signal;

function unprintedMs({ lease }: LeaseServer): number {
  return Number(lease?.metadata.annotations?.["operator.kubearmor.com/unprinted-ms"]);
}

async function both(t: TestContext) {
  const clock = new FakeClock();
  const server = new LeaseServer();
  const one = start(server, clock, "one");
  await settle();
  const two = start(server, clock, "two");
  await pass(clock, 10_000, one, two);
  assert.equal(one.printing.turns?.isLeader, true);
  t.after(async () => {
    for (const replica of [one, two]) await drain(clock, replica, AbortSignal.abort());
  });
  return { clock, server, one, two };
}

test("Printing.drain(): what the holder could not print any more, it does not vouch for", async (t) => {
  const { clock, server, one, two } = await both(t);
  one.reader.state = "stuck";
  await pass(clock, 3_000, one, two);
  await drain(clock, one, AbortSignal.abort());
  assert.ok(one.printing.counts("alerts").dropped.shutdown >= 30);
  assert.ok(unprintedMs(server) >= 2_900, `${unprintedMs(server)} ms`);
  await pass(clock, 10_000, two);
  assert.ok(one.reader.lines + two.reader.lines >= 230);
});

test("Printing.drain(): what a standby kept is another's to print while another one is known to hold the turn", async (t) => {
  const { clock, two } = await both(t);
  await drain(clock, two, never);
  const { filtered, dropped, offered, queued } = two.printing.counts("alerts");
  // But for the beginning, of which the holder could not know whether it had received all.
  assert.ok(dropped.shutdown < 35 && filtered > 60, `${dropped.shutdown} dropped, ${filtered} filtered`);
  assert.deepEqual([filtered + dropped.shutdown, queued], [offered, 0]);
});

test("Printing.drain(): what a replica kept and nobody is known to print is dropped, and said so", async () => {
  const clock = new FakeClock();
  const server = new LeaseServer();
  server.isReachable = false;
  const one = start(server, clock, "one");
  await pass(clock, 3_000, one);
  await drain(clock, one, never);
  const { filtered, dropped } = one.printing.counts("alerts");
  assert.deepEqual([filtered, dropped.shutdown], [0, 30]);
  assert.ok(one.warnings.some((message) => message.startsWith("Events were kept that no other replica")));
});

test("Printing.drain(): a turn that comes meanwhile vouches for nothing that was kept", async () => {
  const clock = new FakeClock();
  const server = new LeaseServer();
  server.isReachable = false;
  const one = start(server, clock, "one");
  await pass(clock, 3_000, one);
  // The lease becomes its own while it stops.
  server.isReachable = true;
  clock.advance(2_000);
  const drained = drain(clock, one, never);
  await drained;
  const { filtered, dropped, delivered } = one.printing.counts("alerts");
  assert.deepEqual([filtered, delivered, dropped.shutdown], [0, 0, 30]);
  assert.ok(server.lease === undefined || unprintedMs(server) >= 3_000, `${unprintedMs(server)} ms`);
});

test("Printing: a replica whose stdout is closed lets another one print, all that it could not and what comes", async (t) => {
  const { clock, one, two } = await both(t);
  one.reader.state = "stuck";
  await pass(clock, 10_000, one, two);
  one.reader.leave();
  await pass(clock, 5_000, one, two);
  assert.equal(two.printing.turns?.isLeader, true);
  await pass(clock, 30_000, one, two);
  assert.equal(one.printing.turns?.isLeader, false);
  assert.ok(one.reader.lines + two.reader.lines >= 550);
  assert.deepEqual([one.printing.isStdoutClosed, two.printing.isStdoutClosed], [true, false]);
  assert.deepEqual([one.printing.printed, two.printing.printed], [[], ["alerts"]]);
  const { dropped, queued, filtered } = one.printing.counts("alerts");
  assert.ok(dropped.disconnected >= 350, `${dropped.disconnected} dropped`);
  assert.deepEqual([queued, filtered], [0, 0]);
});

test("Printing: what was let through in a turn that ended is told as repeated when it is printed in the next one", async () => {
  const clock = new FakeClock();
  const server = new LeaseServer();
  const one = start(server, clock, "one");
  await pass(clock, 2_000, one);
  one.reader.state = "stuck";
  await pass(clock, 1_000, one);
  server.isReachable = false;
  await pass(clock, 15_000, one);
  assert.equal(one.printing.turns?.isLeader, false);
  // Another one had the lease meanwhile, and gave it back.
  const { lease } = server;
  assert.ok(lease !== undefined);
  server.lease = {
    ...lease,
    metadata: { ...lease.metadata, resourceVersion: "other", annotations: {} },
    spec: { holderIdentity: "" },
  };
  server.isReachable = true;
  const { repeated } = one.printing.turns ?? { repeated: { alerts: 0 } };
  await pass(clock, 10_000, one);
  assert.equal(one.printing.turns?.isLeader, true);
  assert.ok((one.printing.turns?.repeated.alerts ?? 0) - repeated.alerts >= 160);
  await drain(clock, one, AbortSignal.abort());
});

const noAnswer = () => new Promise<never>(() => {});

test("Printing: a replica that begins anew under its name leaves its turn to one that was there meanwhile", async () => {
  const clock = new FakeClock();
  const server = new LeaseServer();
  let isAlive = true;
  const former: LeaseServer["client"] = {
    get: (...call) => (isAlive ? server.client.get(...call) : noAnswer()),
    create: (...call) => (isAlive ? server.client.create(...call) : noAnswer()),
    replace: (...call) => (isAlive ? server.client.replace(...call) : noAnswer()),
  };
  const one = start({ client: former }, clock, "one");
  await settle();
  const two = start(server, clock, "two");
  await pass(clock, 10_000, one, two);
  assert.equal(one.printing.turns?.isLeader, true);
  isAlive = false;
  const again = start(server, clock, "one");
  await pass(clock, 25_000, two, again);
  assert.equal(two.printing.turns?.isLeader, true);
  for (const replica of [again, two]) await drain(clock, replica, AbortSignal.abort());
});
