import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { encodeFrame } from "../wire/frame-cutter.ts";
import type { Batch } from "./batch.ts";
import { Hub } from "./hub.ts";

const options = { pageBytes: 256, minIntervalMs: 1 };

function recorder() {
  const batches: Batch[] = [];
  return {
    offer: (batch: Batch) => {
      // For good, so that its page is not used again.
      batch.page.pin();
      batches.push(batch);
    },
    bytes: () => Buffer.concat(batches.map((batch) => batch.bytes)),
    events: () => batches.reduce((sum, batch) => sum + batch.events, 0),
    batches,
  };
}

test("Hub.publish() gathers what arrives in one turn of the loop into one batch that all consumers share", () => {
  const clock = new FakeClock();
  const hub = new Hub(options, clock);
  const [one, two] = [recorder(), recorder()];
  hub.subscribe("alerts", one);
  hub.subscribe("alerts", two);
  hub.publish("alerts", encodeFrame(Buffer.from("a")), 1);
  hub.publish("alerts", encodeFrame(Buffer.from("b")), 1);
  assert.equal(one.batches.length, 0);
  clock.advance(0);
  assert.deepEqual([one.batches.length, one.events()], [1, 2]);
  assert.equal(one.batches[0], two.batches[0]);
});

test("Hub.publish() delivers a feed at most once an interval", () => {
  const clock = new FakeClock();
  const hub = new Hub({ ...options, minIntervalMs: 5 }, clock);
  const consumer = recorder();
  hub.subscribe("logs", consumer);
  for (let ms = 0; ms < 20; ms++) {
    hub.publish("logs", encodeFrame(Buffer.from("x")), 1);
    clock.advance(1);
  }
  // At 0, 5, 10, 15 and 20 ms.
  assert.equal(consumer.batches.length, 5);
  clock.advance(5);
  assert.equal(consumer.events(), 20);
});

test("Hub.subscribe() offers only what arrives later, and nothing after its end", () => {
  const clock = new FakeClock();
  const hub = new Hub(options, clock);
  const [early, late] = [recorder(), recorder()];
  hub.subscribe("alerts", early);
  hub.publish("alerts", encodeFrame(Buffer.from("before")), 1);
  const membership = hub.subscribe("alerts", late);
  hub.publish("alerts", encodeFrame(Buffer.from("between")), 1);
  clock.advance(1);
  membership.leave();
  membership.leave();
  hub.publish("alerts", encodeFrame(Buffer.from("after")), 1);
  clock.advance(1);
  assert.equal(early.events(), 3);
  assert.deepEqual(late.bytes(), encodeFrame(Buffer.from("between")));
});

test("Hub: leaving twice is leaving once", () => {
  const clock = new FakeClock();
  const hub = new Hub(options, clock);
  const [gone, other] = [recorder(), recorder()];
  const membership = hub.subscribe("alerts", gone);
  hub.subscribe("alerts", other);
  hub.publish("alerts", encodeFrame(Buffer.from("before")), 1);
  hub.flush();
  membership.leave();
  hub.publish("alerts", encodeFrame(Buffer.from("after")), 1);
  hub.flush();
  membership.leave();
  assert.deepEqual([membership.expected, gone.events(), other.events()], [1, 1, 2]);
});

test("Hub counts what nobody wanted, gathered or not, as unclaimed", () => {
  const clock = new FakeClock();
  const hub = new Hub(options, clock);
  hub.publish("messages", encodeFrame(Buffer.from("1")), 1);
  const membership = hub.subscribe("messages", recorder());
  hub.publish("messages", encodeFrame(Buffer.from("2")), 1);
  membership.leave();
  clock.advance(5);
  assert.deepEqual(hub.totals("messages"), { received: 2, unclaimed: 2, gathered: 0, handed: 0 });
});

test("Hub.totals() say where every event is", () => {
  const clock = new FakeClock();
  const hub = new Hub(options, clock);
  const frame = encodeFrame(Buffer.from("x"));
  hub.publish("alerts", frame, 1);
  const memberships = [hub.subscribe("alerts", recorder()), hub.subscribe("alerts", recorder())];
  hub.publish("alerts", Buffer.concat([frame, frame]), 2);
  assert.deepEqual(hub.totals("alerts"), { received: 3, unclaimed: 1, gathered: 2, handed: 0 });
  clock.advance(1);
  assert.deepEqual(hub.totals("alerts"), { received: 3, unclaimed: 1, gathered: 0, handed: 2 });
  hub.publish("alerts", frame, 1);
  memberships[0]?.leave();
  hub.flush();
  assert.deepEqual(hub.totals("alerts"), { received: 4, unclaimed: 1, gathered: 0, handed: 3 });
  assert.deepEqual(
    memberships.map(({ expected }) => expected),
    [2, 3],
  );
});

test("Hub counts what is published while the last consumer leaves of itself as unclaimed", () => {
  const hub = new Hub(options, new FakeClock());
  let offered = 0;
  const membership = hub.subscribe("alerts", {
    offer: ({ events }) => {
      offered += events;
      membership.leave();
    },
  });
  const frame = encodeFrame(Buffer.alloc(100));
  hub.publish("alerts", Buffer.concat([frame, frame, frame, frame, frame]), 5);
  hub.flush();
  assert.deepEqual([offered, membership.expected], [2, 2]);
  assert.deepEqual(hub.totals("alerts"), { received: 5, unclaimed: 3, gathered: 0, handed: 2 });
  assert.equal(hub.budget.usedBytes, 0);
});

test("Hub tells of each batch when its first event came", () => {
  const clock = new FakeClock();
  const hub = new Hub({ ...options, minIntervalMs: 10 }, clock);
  const consumer = recorder();
  hub.subscribe("alerts", consumer);
  clock.advance(3);
  for (let ms = 0; ms < 15; ms++) {
    hub.publish("alerts", encodeFrame(Buffer.from("x")), 1);
    clock.advance(1);
  }
  hub.flush();
  assert.deepEqual(
    consumer.batches.map(({ atMs, events }) => [atMs, events]),
    [
      [3, 1],
      [4, 9],
      [13, 5],
    ],
  );
});

test("Hub fills its pages, between events, and gives a larger event one of its own", () => {
  const hub = new Hub(options, new FakeClock());
  const consumer = recorder();
  hub.subscribe("alerts", consumer);
  const small = encodeFrame(Buffer.alloc(45));
  const large = encodeFrame(Buffer.alloc(595));
  hub.publish("alerts", Buffer.concat([small, small, small, small, small, small, large, small]), 8);
  hub.flush();
  assert.deepEqual(
    consumer.batches.map(({ bytes, page }) => [bytes.length, page.bytes.length]),
    [
      [250, 256],
      [50, 256],
      [600, 600],
      [50, 256],
    ],
  );
});

test("Hub hands every event to every consumer, in order and unchanged, whatever the sizes and the timing", () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("publish" as const),
      sizes: fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ kind: fc.constant("advance" as const), ms: fc.nat({ max: 2 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clock = new FakeClock();
      const hub = new Hub(options, clock);
      const consumer = recorder();
      hub.subscribe("alerts", consumer);
      const sent: Buffer[] = [];
      let events = 0;
      for (const one of steps) {
        if (one.kind === "advance") clock.advance(one.ms);
        else {
          const run = Buffer.concat(one.sizes.map((size, index) => encodeFrame(Buffer.alloc(size, events + index))));
          hub.publish("alerts", run, one.sizes.length);
          sent.push(Buffer.from(run));
          events += one.sizes.length;
          // The network uses its read buffer again.
          run.fill(0xff);
        }
      }
      hub.flush();
      assert.deepEqual(consumer.bytes(), Buffer.concat(sent));
      assert.equal(consumer.events(), events);
      for (const { bytes, events: count } of consumer.batches) {
        assert.ok(bytes.length <= options.pageBytes || count === 1, "only a lone event is larger than a page");
      }
    }),
    { numRuns: 300 },
  );
});
