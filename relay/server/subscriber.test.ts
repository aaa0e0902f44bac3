import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import type { Batch } from "../hub/batch.ts";
import { Budget } from "../hub/budget.ts";
import { fakeBatch } from "../hub/fake-batch.ts";
import { type EventStream, Subscriber } from "./subscriber.ts";

const batch = (bytes: number, events: number, atMs = 0): Batch =>
  fakeBatch("alerts", Buffer.alloc(bytes, events), events, atMs);

/** A stream whose writes end when the test says so. */
function scriptedStream() {
  const pending: ((error?: Error | null) => void)[] = [];
  const written: Buffer[] = [];
  const stream: EventStream = {
    cork() {},
    uncork() {},
    write(bytes, callback) {
      written.push(bytes);
      pending.push(callback);
      return false;
    },
  };
  const finish = (error?: Error) => {
    for (const callback of pending.splice(0)) callback(error);
  };
  return { stream, written, finish };
}

function fixture({ maxBytes = 1 << 20, pageBytes = 1000 } = {}) {
  const scripted = scriptedStream();
  const clock = new FakeClock();
  const budget = new Budget({ maxBytes, pageBytes });
  const subscriber = new Subscriber(
    { mailboxBytes: 100, maxWriteBytes: 50 },
    { stream: scripted.stream, clock, budget },
  );
  return { ...scripted, clock, budget, subscriber };
}

const noDrops = { mailbox: 0, budget: 0, disconnected: 0, shutdown: 0 };
const none = { offered: 0, delivered: 0, filtered: 0, unreadable: 0, dropped: noDrops, queued: 0 };

test("Subscriber writes one run at a time and gathers what arrives meanwhile", () => {
  const { subscriber, written, finish } = fixture();
  subscriber.offer(batch(10, 1));
  subscriber.offer(batch(10, 2));
  subscriber.offer(batch(10, 3));
  assert.equal(written.length, 1);
  finish();
  assert.equal(written.length, 3);
  assert.deepEqual(subscriber.counts(), { ...none, offered: 6, delivered: 1, queued: 5 });
  assert.deepEqual([subscriber.deliveredBytes, subscriber.queuedBytes], [10, 0]);
  finish();
  assert.deepEqual(subscriber.counts(), { ...none, offered: 6, delivered: 6 });
  assert.equal(subscriber.deliveredBytes, 30);
});

test("Subscriber writes what was gathered one after the other as one buffer", () => {
  const { subscriber, written, finish } = fixture();
  const whole = batch(100, 1);
  for (const [start, end] of [
    [0, 10],
    [10, 20],
    [20, 50],
  ] as const) {
    subscriber.offer({ ...whole, bytes: whole.bytes.subarray(start, end) });
  }
  finish();
  assert.deepEqual(
    written.map(({ byteOffset, length }) => [byteOffset - whole.bytes.byteOffset, length]),
    [
      [0, 10],
      [10, 40],
    ],
  );
});

test("Subscriber pins the pages of a write until it has ended, and taints them when it failed", () => {
  const { subscriber, finish } = fixture();
  const [first, second, third] = [batch(10, 1), batch(10, 1), batch(10, 1)];
  subscriber.offer(first);
  subscriber.offer(second);
  assert.deepEqual([first.page.isPinned, second.page.isPinned], [true, false]);
  finish();
  assert.deepEqual([first.page.isPinned, second.page.isPinned], [false, true]);
  subscriber.offer(third);
  subscriber.close("disconnected");
  assert.ok(second.page.isPinned, "the connection has it still");
  finish(new Error("reset"));
  assert.ok(!second.page.isPinned);
  assert.deepEqual(
    [first, second, third].map(({ page }) => page.isTainted),
    [false, true, false],
  );
});

test("Subscriber.offer() drops the oldest waiting events of a client that does not read", () => {
  const { subscriber } = fixture();
  for (let i = 0; i < 20; i++) subscriber.offer(batch(20, 1));
  assert.deepEqual(subscriber.counts(), { ...none, offered: 20, dropped: { ...noDrops, mailbox: 14 }, queued: 6 });
});

test("Subscriber.configure() bounds the mailbox at once", () => {
  const { subscriber } = fixture();
  for (let i = 0; i < 6; i++) subscriber.offer(batch(20, 1));
  subscriber.configure({ mailboxBytes: 40 });
  assert.deepEqual([subscriber.counts().dropped.mailbox, subscriber.queuedBytes], [3, 40]);
});

test("Subscriber puts no more pages into a write once that has its size", () => {
  const { subscriber, written, finish } = fixture();
  for (let i = 0; i < 6; i++) subscriber.offer(batch(20, 1));
  finish();
  assert.equal(written.length, 1 + 3);
  finish();
  assert.equal(written.length, 1 + 3 + 2);
});

test("Subscriber: a write that has just its size is full", () => {
  const { subscriber, written, finish } = fixture();
  subscriber.offer(batch(10, 1));
  subscriber.offer(batch(50, 1));
  subscriber.offer(batch(10, 1));
  finish();
  assert.deepEqual(
    written.map(({ length }) => length),
    [10, 50],
  );
});

test("Subscriber writes a page at a time when much is being written for others", () => {
  const { subscriber, budget, written, finish } = fixture({ maxBytes: 8000 });
  budget.take(2000).pin();
  for (let i = 0; i < 3; i++) subscriber.offer({ ...batch(10, 1), page: budget.take(1000) });
  finish();
  assert.equal(written.length, 2);
});

test("Subscriber drops large events, of the budget, when large ones are being written for others", () => {
  const { subscriber, budget, written } = fixture({ maxBytes: 8000 });
  budget.take(3000).pin();
  subscriber.offer({ ...batch(10, 1), page: budget.take(2000) });
  subscriber.offer(batch(10, 1));
  assert.deepEqual(subscriber.counts(), { ...none, offered: 2, dropped: { ...noDrops, budget: 1 }, queued: 1 });
  assert.equal(written.length, 1);
});

for (const reason of ["disconnected", "shutdown"] as const) {
  test(`Subscriber.close() counts what was not sent as ${reason}`, async () => {
    const { subscriber, finish } = fixture();
    subscriber.offer(batch(10, 1));
    subscriber.offer(batch(10, 4));
    const idle = subscriber.idle();
    subscriber.close(reason);
    subscriber.close("disconnected");
    finish(new Error("reset"));
    await idle;
    subscriber.offer(batch(10, 2));
    assert.deepEqual(subscriber.counts(), { ...none, offered: 7, dropped: { ...noDrops, [reason]: 7 } });
  });
}

test("Subscriber counts a write that fails before the client is known to be gone", () => {
  const { subscriber, finish } = fixture();
  subscriber.offer(batch(10, 3));
  finish(new Error("reset"));
  assert.deepEqual(subscriber.counts(), { ...none, offered: 3, dropped: { ...noDrops, disconnected: 3 } });
});

test("Subscriber.idle() resolves once the last event is written", async () => {
  const { subscriber, finish } = fixture();
  await subscriber.idle();
  subscriber.offer(batch(10, 1));
  let isIdle = false;
  const idle = subscriber.idle().then(() => {
    isIdle = true;
  });
  await Promise.resolve();
  assert.equal(isIdle, false);
  // Draining waits, and the client may leave meanwhile: both are told.
  const other = subscriber.idle();
  finish();
  await Promise.all([idle, other]);
});

test("Subscriber.lag is the age of the oldest event that is not delivered, and of the last and the worst that was", () => {
  const { subscriber, clock, finish } = fixture();
  clock.advance(100);
  assert.deepEqual(subscriber.lag, { nowMs: 0, lastMs: 0, worstMs: 0 });
  subscriber.offer(batch(10, 1, 95));
  subscriber.offer(batch(10, 1, 100));
  clock.advance(5);
  assert.deepEqual(subscriber.lag, { nowMs: 10, lastMs: 0, worstMs: 0 });
  finish();
  assert.deepEqual(subscriber.lag, { nowMs: 5, lastMs: 10, worstMs: 10 });
  clock.advance(1);
  finish();
  assert.deepEqual(subscriber.lag, { nowMs: 0, lastMs: 6, worstMs: 10 });
});
