import assert from "node:assert/strict";
import { test } from "node:test";
import { Slots } from "./slots.ts";

const never = new AbortController().signal;

test("Slots.acquire() makes the next one wait until a slot is given back, in order", async () => {
  const slots = new Slots(1);
  const order: string[] = [];
  const first = await slots.acquire(never);
  const second = slots.acquire(never).then((slot) => {
    order.push("second");
    return slot;
  });
  const third = slots.acquire(never).then(() => order.push("third"));
  await Promise.resolve();
  assert.deepEqual(order, []);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  const held = await second;
  assert.deepEqual(order, ["second"]);
  held[Symbol.dispose]();
  await third;
  assert.deepEqual(order, ["second", "third"]);
});

test("Slots.acquire() rejects when its signal aborts and leaves the slot to others", async () => {
  const slots = new Slots(1);
  const held = await slots.acquire(never);
  const abort = new AbortController();
  const waiting = slots.acquire(abort.signal);
  abort.abort(new Error("gone"));
  await assert.rejects(waiting, /gone/);
  held[Symbol.dispose]();
  using other = await slots.acquire(never);
  assert.ok(other);
});
