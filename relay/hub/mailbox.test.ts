import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Batch } from "./batch.ts";
import { Mailbox } from "./mailbox.ts";

const batch = (bytes: number, events: number): Batch => ({ feed: "alerts", bytes: Buffer.alloc(bytes), events });

test("Mailbox.push() drops the oldest batches when the newest does not fit", () => {
  const mailbox = new Mailbox({ maxBytes: 100 });
  const newest = batch(60, 3);
  assert.equal(mailbox.push(batch(40, 1)), 0);
  assert.equal(mailbox.push(batch(40, 2)), 0);
  assert.equal(mailbox.push(newest), 1);
  assert.deepEqual([mailbox.queuedEvents, mailbox.queuedBytes], [5, 100]);
  mailbox.shift();
  assert.equal(mailbox.shift(), newest);
  assert.equal(mailbox.shift(), undefined);
});

test("Mailbox.push() keeps a batch that is larger than the whole bound, alone", () => {
  const mailbox = new Mailbox({ maxBytes: 100 });
  mailbox.push(batch(10, 1));
  assert.equal(mailbox.push(batch(500, 7)), 1);
  assert.equal(mailbox.queuedEvents, 7);
});

test("Mailbox loses nothing unaccounted, keeps the order and its bound under any interleaving", () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("push" as const),
      bytes: fc.integer({ min: 1, max: 60 }),
      events: fc.integer({ min: 1, max: 9 }),
    }),
    fc.record({ kind: fc.constant("shift" as const) }),
    fc.record({ kind: fc.constant("clear" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 3000, size: "max" }), (steps) => {
      const mailbox = new Mailbox({ maxBytes: 100 });
      let pushed = 0;
      let gone = 0;
      let lastOrdinal = -1;
      const ordinals = new Map<Batch, number>();
      for (const one of steps) {
        switch (one.kind) {
          case "push": {
            const added = batch(one.bytes, one.events);
            ordinals.set(added, ordinals.size);
            pushed += one.events;
            gone += mailbox.push(added);
            break;
          }
          case "shift": {
            const taken = mailbox.shift();
            if (taken === undefined) break;
            const ordinal = ordinals.get(taken) ?? -1;
            assert.ok(ordinal > lastOrdinal, "shifted in the order of pushes");
            lastOrdinal = ordinal;
            gone += taken.events;
            break;
          }
          case "clear":
            gone += mailbox.clear();
            break;
        }
        assert.equal(pushed, gone + mailbox.queuedEvents);
        assert.ok(mailbox.queuedBytes <= 100);
        assert.equal(mailbox.queuedBytes === 0, mailbox.queuedEvents === 0);
      }
    }),
    { numRuns: 50 },
  );
});
