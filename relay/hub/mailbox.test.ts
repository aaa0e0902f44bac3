import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Batch } from "./batch.ts";
import { Budget } from "./budget.ts";
import { fakeBatch } from "./fake-batch.ts";
import { Mailbox, type Segment } from "./mailbox.ts";

const batch = (bytes: number, events: number): Batch => fakeBatch("alerts", Buffer.alloc(bytes), events);

function fixture(maxBytes = 100) {
  const dropped = { mailbox: 0, budget: 0 };
  const mailbox = new Mailbox({ maxBytes }, (reason, events) => {
    dropped[reason] += events;
  });
  return { mailbox, dropped };
}

/** Batches that were gathered one after the other in one page. */
function gathered(sizes: readonly number[]): Batch[] {
  const whole = batch(1000, 0);
  let at = 0;
  return sizes.map((size, index) => {
    const bytes = whole.bytes.subarray(at, at + size);
    at += size;
    return { ...whole, bytes, events: 1, atMs: index };
  });
}

test("Mailbox.push() drops the oldest batches when the newest does not fit", () => {
  const { mailbox, dropped } = fixture();
  const newest = batch(60, 3);
  mailbox.push(batch(40, 1));
  mailbox.push(batch(40, 2));
  assert.equal(dropped.mailbox, 0);
  mailbox.push(newest);
  assert.deepEqual(dropped, { mailbox: 1, budget: 0 });
  assert.deepEqual([mailbox.queuedEvents, mailbox.queuedBytes], [5, 100]);
  mailbox.shift();
  assert.equal(mailbox.shift()?.page, newest.page);
  assert.equal(mailbox.shift(), undefined);
});

test("Mailbox.push() keeps a batch that is larger than the whole bound, alone", () => {
  const { mailbox, dropped } = fixture();
  mailbox.push(batch(10, 1));
  mailbox.push(batch(500, 7));
  assert.deepEqual([dropped.mailbox, mailbox.queuedEvents], [1, 7]);
});

test("Mailbox.push() makes one segment of what lies together in a page", () => {
  const { mailbox } = fixture();
  const [first, second, skipped, fourth] = gathered([10, 20, 5, 30]);
  assert.ok(first && second && skipped && fourth);
  for (const one of [first, second, fourth]) mailbox.push(one);
  const { page } = first;
  assert.deepEqual(mailbox.shift(), { page, start: 0, end: 30, events: 2, atMs: 0 });
  assert.deepEqual(mailbox.shift(), { page, start: 35, end: 65, events: 1, atMs: 3 });
});

test("Mailbox.trim() takes events off the head, one by one", () => {
  const { mailbox } = fixture();
  for (const one of gathered([10, 20])) mailbox.push(one);
  mailbox.push(batch(5, 1));
  mailbox.trim(10, 1);
  assert.deepEqual([mailbox.head?.start, mailbox.head?.events], [10, 1]);
  assert.deepEqual([mailbox.queuedBytes, mailbox.queuedEvents], [25, 2]);
  mailbox.trim(20, 1);
  assert.deepEqual([mailbox.queuedBytes, mailbox.queuedEvents], [5, 1]);
});

test("Mailbox.evict() drops every segment of the page, wherever it is", () => {
  const { mailbox, dropped } = fixture();
  const [first, , third] = gathered([10, 20, 30]);
  assert.ok(first && third);
  const others = [batch(1, 1), batch(1, 1)];
  for (const one of [others[0], first, third, others[1]]) if (one !== undefined) mailbox.push(one);
  mailbox.evict(first.page);
  assert.deepEqual(dropped, { mailbox: 0, budget: 2 });
  assert.deepEqual([mailbox.queuedBytes, mailbox.queuedEvents], [2, 2]);
  assert.deepEqual(
    [mailbox.shift()?.page, mailbox.shift()?.page],
    others.map(({ page }) => page),
  );
});

test("Mailbox.configure() drops at once what a smaller bound does not hold", () => {
  const { mailbox, dropped } = fixture();
  for (const size of [30, 30, 30]) mailbox.push(batch(size, 1));
  mailbox.configure(60);
  assert.deepEqual([dropped.mailbox, mailbox.queuedBytes], [1, 60]);
  mailbox.configure(0);
  assert.deepEqual([dropped.mailbox, mailbox.queuedBytes], [3, 0]);
});

test("Mailbox loses nothing unaccounted, keeps the order, its bound and only the pages it needs under any interleaving", () => {
  const eventBytes = 5;
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("push" as const),
      events: fc.integer({ min: 1, max: 12 }),
      isOnNewPage: fc.boolean(),
    }),
    fc.record({ kind: fc.constantFrom("shift" as const, "clear" as const, "trim" as const, "take" as const) }),
    fc.record({ kind: fc.constant("configure" as const), maxBytes: fc.integer({ min: 60, max: 300 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 1000, size: "max" }), (steps) => {
      const { mailbox, dropped } = fixture();
      const budget = new Budget({ maxBytes: 2000, pageBytes: 200 });
      let page = budget.take(200);
      let end = 0;
      let maxBytes = 100;
      let pushed = 0;
      let gone = 0;
      let last: Segment | undefined;
      for (const one of steps) {
        switch (one.kind) {
          case "push": {
            const bytes = one.events * eventBytes;
            if (one.isOnNewPage || end + bytes > 200) {
              page.close();
              page = budget.take(200);
              end = 0;
            }
            pushed += one.events;
            // As a time, its ordinal.
            const added = { bytes: page.bytes.subarray(end, end + bytes), events: one.events, atMs: pushed };
            mailbox.push({ feed: "alerts", page, ...added });
            end += bytes;
            break;
          }
          case "shift": {
            const taken = mailbox.shift();
            if (taken === undefined) break;
            assert.ok(taken.page.isPinned);
            taken.page.unpin();
            assert.ok(taken.atMs > (last?.atMs ?? 0), "shifted in the order of pushes");
            last = taken;
            gone += taken.events;
            break;
          }
          case "trim":
            if (mailbox.head === undefined) break;
            mailbox.trim(eventBytes, 1);
            gone++;
            break;
          case "take": {
            const other = budget.take(1600);
            other.close();
            break;
          }
          case "configure":
            ({ maxBytes } = one);
            mailbox.configure(maxBytes);
            break;
          case "clear":
            gone += mailbox.clear();
            break;
        }
        assert.equal(pushed, gone + dropped.mailbox + dropped.budget + mailbox.queuedEvents);
        assert.ok(mailbox.queuedBytes <= maxBytes);
        assert.equal(mailbox.queuedBytes, mailbox.queuedEvents * eventBytes);
        assert.equal(mailbox.queuedEvents === 0, mailbox.head === undefined);
      }
      mailbox.clear();
      page.close();
      assert.equal(budget.usedBytes, 0);
    }),
    { numRuns: 50 },
  );
});
