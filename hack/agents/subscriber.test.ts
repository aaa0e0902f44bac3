import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { queueSlots, Subscriber } from "./subscriber.ts";

/** Takes so many events until it is drained. */
function scriptedWriter(room: number) {
  const written: number[] = [];
  let free = room;
  return {
    written,
    write: (event: Buffer) => {
      written.push(event.readUInt32BE());
      free -= 1;
      return free > 0;
    },
    drain: (next: number) => {
      free = next;
    },
  };
}

function numbered(number: number): Buffer {
  const event = Buffer.alloc(4);
  event.writeUInt32BE(number);
  return event;
}

test("Subscriber drops the newest when 1,000 wait, and delivers the others in order", () => {
  const writer = scriptedWriter(1);
  const subscriber = new Subscriber(1, writer);
  for (let number = 1; number <= 1 + queueSlots + 5; number += 1) subscriber.offer(numbered(number));
  const full = { id: 1, offered: 1006, sent: 1, dropped: 5, queued: 1000, abandoned: 0, open: true };
  assert.deepEqual(subscriber.counts(), full);
  writer.drain(2000);
  subscriber.drained();
  subscriber.offer(numbered(2000));
  assert.deepEqual(writer.written, [...Array.from({ length: 1001 }, (_, index) => index + 1), 2000]);
});

test("Subscriber.close() counts what it held as abandoned and takes nothing more", () => {
  const subscriber = new Subscriber(1, scriptedWriter(1));
  for (let number = 1; number <= 4; number += 1) subscriber.offer(numbered(number));
  subscriber.close(1);
  subscriber.offer(numbered(5));
  const counts = { id: 1, offered: 4, sent: 0, dropped: 0, queued: 0, abandoned: 4, open: false };
  assert.deepEqual(subscriber.counts(), counts);
});

test("Subscriber accounts for every event offered, whatever the connection does", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("offer" as const), count: fc.integer({ min: 1, max: 700 }) }),
    fc.record({ kind: fc.constant("drain" as const), count: fc.integer({ min: 1, max: 700 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const writer = scriptedWriter(16);
      const subscriber = new Subscriber(1, writer);
      let number = 0;
      for (const { kind, count } of steps) {
        if (kind === "drain") {
          writer.drain(count);
          subscriber.drained();
        } else for (let made = 0; made < count; made += 1) subscriber.offer(numbered((number += 1)));
        const { offered, sent, dropped, queued } = subscriber.counts();
        assert.equal(offered, number);
        assert.equal(offered, sent + dropped + queued);
        assert.ok(queued <= queueSlots);
      }
      assert.deepEqual(
        writer.written,
        writer.written.toSorted((a, b) => a - b),
      );
      assert.equal(new Set(writer.written).size, writer.written.length);
    }),
  );
});
