import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Batch } from "../hub/batch.ts";
import { type EventStream, Subscriber } from "./subscriber.ts";

const batch = (bytes: number, events: number): Batch => ({
  feed: "alerts",
  bytes: Buffer.alloc(bytes, events),
  events,
});

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
  return { stream, written, finish, pending };
}

const options = { mailboxBytes: 100, maxWriteBytes: 50 };

test("Subscriber writes one run at a time and gathers what arrives meanwhile", () => {
  const { stream, written, finish } = scriptedStream();
  const subscriber = new Subscriber(options, stream);
  subscriber.offer(batch(10, 1));
  subscriber.offer(batch(10, 2));
  subscriber.offer(batch(10, 3));
  assert.equal(written.length, 1);
  finish();
  assert.equal(written.length, 3);
  assert.deepEqual(subscriber.counts(), { offered: 6, delivered: 1, overflowed: 0, disconnected: 0, queued: 5 });
  finish();
  assert.equal(subscriber.counts().delivered, 6);
});

test("Subscriber.offer() drops the oldest waiting events of a client that does not read", () => {
  const { stream } = scriptedStream();
  const subscriber = new Subscriber(options, stream);
  for (let i = 0; i < 20; i++) subscriber.offer(batch(20, 1));
  assert.deepEqual(subscriber.counts(), { offered: 20, delivered: 0, overflowed: 14, disconnected: 0, queued: 6 });
});

test("Subscriber.close() counts what was not sent", async () => {
  const { stream, finish } = scriptedStream();
  const subscriber = new Subscriber(options, stream);
  subscriber.offer(batch(10, 1));
  subscriber.offer(batch(10, 4));
  const idle = subscriber.idle();
  subscriber.close();
  finish(new Error("reset"));
  await idle;
  subscriber.offer(batch(10, 2));
  assert.deepEqual(subscriber.counts(), { offered: 7, delivered: 0, overflowed: 0, disconnected: 7, queued: 0 });
});

test("Subscriber.idle() resolves once the last event is written", async () => {
  const { stream, finish } = scriptedStream();
  const subscriber = new Subscriber(options, stream);
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

test("Subscriber accounts for every event offered under any interleaving", () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("offer" as const),
      bytes: fc.integer({ min: 1, max: 40 }),
      events: fc.integer({ min: 1, max: 5 }),
    }),
    fc.record({ kind: fc.constantFrom("finish" as const, "fail" as const, "close" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { stream, finish, pending } = scriptedStream();
      const subscriber = new Subscriber(options, stream);
      let offered = 0;
      for (const one of steps) {
        switch (one.kind) {
          case "offer":
            subscriber.offer(batch(one.bytes, one.events));
            offered += one.events;
            break;
          case "finish":
            finish();
            break;
          case "fail":
            subscriber.close();
            finish(new Error("broken"));
            break;
          case "close":
            subscriber.close();
            break;
        }
        const counts = subscriber.counts();
        assert.equal(counts.offered, offered);
        assert.equal(counts.offered, counts.delivered + counts.overflowed + counts.disconnected + counts.queued);
        assert.ok(subscriber.queuedBytes <= options.mailboxBytes);
        assert.ok(counts.queued > 0 || pending.length === 0);
      }
    }),
    { numRuns: 300 },
  );
});
