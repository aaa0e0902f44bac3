import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import type { Batch } from "../hub/batch.ts";
import { Hub } from "../hub/hub.ts";
import { framePrefixBytes } from "../wire/frame-cutter.ts";
import { Backlog } from "./backlog.ts";

/** Frames of the numbers from `first` on, of different lengths. */
function frames(first: number, count: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_item, index) => {
      const number = first + index;
      const frame = Buffer.alloc(framePrefixBytes + 4 + (number % 7));
      frame.writeUInt32BE(frame.length - framePrefixBytes, 1);
      frame.writeUInt32BE(number, framePrefixBytes);
      return frame;
    }),
  );
}

function numbersOf({ bytes }: Batch): readonly number[] {
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length; at += framePrefixBytes + bytes.readUInt32BE(at + 1)) {
    numbers.push(bytes.readUInt32BE(at + framePrefixBytes));
  }
  return numbers;
}

/** A backlog behind a hub with pages of a few events. */
function start(maxBytes: number, bufferBytes = 1 << 20) {
  const clock = new FakeClock();
  const hub = new Hub({ pageBytes: 64, minIntervalMs: 1, bufferBytes }, clock);
  const backlog = new Backlog("alerts", maxBytes);
  hub.subscribe("alerts", { offer: (batch) => backlog.push(batch) });
  let next = 0;
  const publish = (count: number) => {
    hub.publish("alerts", frames(next, count), count);
    next += count;
    clock.advance(1);
  };
  return { clock, hub, backlog, publish };
}

function handOver(backlog: Backlog) {
  const numbers: number[] = [];
  const counts = backlog.handOver({ offer: (batch) => numbers.push(...numbersOf(batch)) });
  return { ...counts, numbers };
}

test("Backlog: what is handed over are the newest events, whole and in order, and nothing is unaccounted for", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("publish" as const), events: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ kind: fc.constant("keep" as const), events: fc.integer({ min: 0, max: 20 }) }),
  );
  fc.assert(
    fc.property(fc.array(step), fc.constantFrom(100, 1000), (steps, maxBytes) => {
      const { hub, backlog, publish } = start(maxBytes);
      let published = 0;
      let forgotten = 0;
      for (const { kind, events } of steps) {
        if (kind === "keep") {
          const outstanding = published - forgotten;
          forgotten += backlog.keep(events);
          assert.equal(published - forgotten, Math.min(outstanding, events));
        } else {
          publish(events);
          published += events;
        }
        assert.equal(published, forgotten + backlog.lost + backlog.queued);
      }
      const { handed, lost, numbers } = handOver(backlog);
      assert.equal(published, forgotten + lost + handed);
      const first = published - handed;
      assert.deepEqual(
        numbers,
        Array.from({ length: handed }, (_item, index) => first + index),
      );
      assert.deepEqual(handOver(backlog), { handed: 0, lost: 0, numbers: [] });
      hub.flush();
    }),
  );
});

test("Backlog.keep() of what had to go counts it as forgotten: another one has seen to it", () => {
  const { backlog, publish } = start(50);
  publish(10);
  const { queued, lost } = backlog;
  assert.ok(lost > 0 && queued > 0);
  assert.equal(backlog.keep(queued), lost);
  assert.deepEqual([backlog.queued, backlog.lost], [queued, 0]);
});

test("Backlog.setAside(): what came before is kept whatever others have seen to, and goes first", () => {
  const { clock, backlog, publish } = start(1000);
  publish(10);
  clock.advance(100);
  publish(10);
  assert.equal(backlog.setAside(50, 10), 10);
  assert.equal(backlog.setAside(50, 10), 0, "once");
  assert.equal(backlog.keep(3), 7);
  assert.deepEqual([backlog.queued, backlog.lost], [13, 0]);
  const { numbers } = handOver(backlog);
  assert.deepEqual(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 18, 19]);
});

test("Backlog.setAside() does not take what came later for sure, and parts a segment for it", () => {
  const { backlog, publish } = start(1000);
  publish(3);
  assert.equal(backlog.setAside(0, 0), 0);
  assert.equal(backlog.setAside(1, 2), 1);
  assert.equal(backlog.keep(0), 2);
  assert.deepEqual(handOver(backlog).numbers, [0]);
});

test("Backlog: what is set aside and has to go is lost, and nothing is unaccounted for", () => {
  const step = fc.record({
    kind: fc.constantFrom("publish" as const, "keep" as const, "setAside" as const),
    events: fc.integer({ min: 1, max: 12 }),
  });
  fc.assert(
    fc.property(fc.array(step), fc.constantFrom(60, 100, 1000), (steps, maxBytes) => {
      const { clock, backlog, publish } = start(maxBytes);
      let published = 0;
      let forgotten = 0;
      for (const { kind, events } of steps) {
        if (kind === "publish") {
          publish(events);
          published += events;
        } else if (kind === "keep") forgotten += backlog.keep(events);
        else backlog.setAside(clock.now(), events);
        assert.equal(published, forgotten + backlog.lost + backlog.queued);
      }
      const { queued, lost } = backlog;
      const leftovers = backlog.clear();
      assert.deepEqual([leftovers.kept + leftovers.aside, leftovers.lost + leftovers.asideLost], [queued, lost]);
      assert.deepEqual([backlog.queued, backlog.lost, backlog.queuedBytes], [0, 0, 0]);
    }),
  );
});
