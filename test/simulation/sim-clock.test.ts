import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SimClock } from "./sim-clock.ts";

test("SimClock.step() fires timers in the order of their time and of their setting, but for cancelled ones", () => {
  const timer = fc.record({ delayMs: fc.nat({ max: 20 }), isCancelled: fc.boolean() });
  fc.assert(
    fc.property(fc.array(timer, { maxLength: 50 }), (timers) => {
      const clock = new SimClock();
      const view = clock.view();
      const fired: number[] = [];
      const cancels = timers.map(({ delayMs }, index) => view.after(delayMs, () => fired.push(index)));
      for (const [index, { isCancelled }] of timers.entries()) if (isCancelled) cancels[index]?.();
      const wanted = [...timers.keys()]
        .filter((index) => timers[index]?.isCancelled === false)
        .toSorted((one, other) => (timers[one]?.delayMs ?? 0) - (timers[other]?.delayMs ?? 0));
      assert.equal(view.pending, wanted.length);
      while (clock.step(20));
      assert.deepEqual(fired, wanted);
      assert.deepEqual([view.pending, clock.nowMs], [0, 20]);
    }),
  );
});

test("SimClock leaves no rest of a wait, however its delays are added up", () => {
  const clock = new SimClock();
  const view = clock.view();
  let looks = 0;
  const waitFor = (untilMs: number) => {
    looks += 1;
    const leftMs = untilMs - view.monotonic();
    if (leftMs > 0) view.after(leftMs, () => waitFor(untilMs));
  };
  view.after(0.1, () => waitFor(view.monotonic() + 1 / 3));
  while (clock.step(10));
  assert.equal(looks, 2);
});
