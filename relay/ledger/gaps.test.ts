import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { type Gap, Gaps } from "./gaps.ts";

interface GapCase {
  /** One step a second, the first at 1 s. */
  readonly steps: readonly (keyof typeof steps)[];
  /** As [from, to] in seconds. */
  readonly gaps: readonly (readonly [number, number | undefined])[];
  /** When the last step has happened. */
  readonly seconds: number;
}

const steps = {
  opens: (gaps: Gaps) => gaps.opened(),
  breaks: (gaps: Gaps) => gaps.broke("reset", 42),
  "is refused": (gaps: Gaps) => gaps.refused(),
  leaves: (gaps: Gaps) => gaps.left(),
  waits: () => {},
};

const cases: Record<string, GapCase> = {
  "a stream that never opens has none": { steps: ["waits", "leaves"], gaps: [], seconds: 0 },
  "a stream that breaks before it opened has none": { steps: ["breaks", "opens"], gaps: [], seconds: 0 },
  "a stream that is refused has none": { steps: ["opens", "is refused", "opens", "is refused"], gaps: [], seconds: 0 },
  "one lasts from the break to the next opening": {
    steps: ["opens", "breaks", "waits", "opens"],
    gaps: [[2, 4]],
    seconds: 2,
  },
  "opening an open stream changes nothing": {
    steps: ["opens", "opens", "breaks", "opens", "opens"],
    gaps: [[3, 4]],
    seconds: 1,
  },
  "a gap does not begin twice": { steps: ["opens", "breaks", "breaks"], gaps: [[2, undefined]], seconds: 1 },
  "one that goes on counts until now": {
    steps: ["opens", "breaks", "waits", "waits"],
    gaps: [[2, undefined]],
    seconds: 2,
  },
  "an opening that is refused does not end it": {
    steps: ["opens", "breaks", "opens", "is refused", "waits"],
    gaps: [[2, undefined]],
    seconds: 3,
  },
  "one that outlives refusals ends in the end": {
    steps: ["opens", "breaks", "opens", "is refused", "opens", "waits"],
    gaps: [[2, 5]],
    seconds: 3,
  },
  "one ends when its agent leaves": {
    steps: ["opens", "breaks", "waits", "leaves", "waits"],
    gaps: [[2, 4]],
    seconds: 2,
  },
  "nothing is expected of an agent that left": { steps: ["opens", "leaves", "breaks", "waits"], gaps: [], seconds: 0 },
  "each break makes one": {
    steps: ["opens", "breaks", "opens", "breaks", "waits", "opens"],
    gaps: [
      [2, 3],
      [4, 6],
    ],
    seconds: 3,
  },
};
function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1_000;
}

for (const [sentence, its] of Object.entries(cases)) {
  test(`Gaps: ${sentence}`, () => {
    const clock = new FakeClock();
    const gaps = new Gaps(clock);
    for (const step of its.steps) {
      clock.advance(1_000);
      steps[step](gaps);
    }
    assert.deepEqual(
      gaps.list().map(({ fromMs, toMs }) => [seconds(fromMs), seconds(toMs)]),
      its.gaps,
    );
    assert.deepEqual(gaps.totals(), { count: its.gaps.length, durationMs: its.seconds * 1_000 });
  });
}

test("Gaps.list() has the reason and the last event before each, and only the newest of many", () => {
  const clock = new FakeClock();
  const gaps = new Gaps(clock);
  for (let round = 0; round < 12; round++) {
    gaps.opened();
    gaps.broke("status", round);
    clock.advance(1_000);
  }
  gaps.opened();
  const wanted = Array.from({ length: 10 }, (_, index): Gap => {
    const round = index + 2;
    return { fromMs: round * 1_000, toMs: (round + 1) * 1_000, reason: "status", lastEventMs: round };
  });
  assert.deepEqual(gaps.list(), wanted);
  assert.deepEqual(gaps.totals(), { count: 12, durationMs: 12_000 });
});

test("Gaps.totals() never go back, whatever happens", () => {
  const step = fc.constantFrom(...(Object.keys(steps) as (keyof typeof steps)[]));
  fc.assert(
    fc.property(fc.array(step), (names) => {
      const clock = new FakeClock();
      const gaps = new Gaps(clock);
      let before = gaps.totals();
      for (const name of names) {
        steps[name](gaps);
        const now = gaps.totals();
        assert.ok(now.count >= before.count && now.durationMs >= before.durationMs, name);
        clock.advance(10);
        before = gaps.totals();
      }
    }),
  );
});

test("Gaps: a clock that is set does not change how long they were", () => {
  let wallMs = 1_000_000;
  let runningMs = 0;
  const gaps = new Gaps({ now: () => wallMs, monotonic: () => runningMs });
  gaps.opened();
  gaps.broke("reset", undefined);
  wallMs -= 500_000;
  runningMs += 2_000;
  gaps.opened();
  assert.equal(gaps.totals().durationMs, 2_000);
});
