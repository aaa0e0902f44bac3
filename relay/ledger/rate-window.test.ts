import assert from "node:assert/strict";
import { test } from "node:test";
import { addRates, noRates, rateSampleMs, RateWindow } from "./rate-window.ts";

/** Samples a counter that grows by what `perSecond` says of each second, for that many seconds. */
function follow(seconds: number, perSecond: (second: number) => number) {
  const window = new RateWindow(0);
  let count = 0;
  for (let second = 1; second <= seconds; second++) {
    count += perSecond(second);
    if ((second * 1_000) % rateSampleMs === 0) window.sample(second * 1_000, count);
  }
  return window.rates(seconds * 1_000, count);
}

interface RateCase {
  readonly seconds: number;
  readonly perSecond: (second: number) => number;
  readonly over10s: number;
  readonly over60s: number;
}

const cases: Record<string, RateCase> = {
  "nothing has happened yet": { seconds: 0, perSecond: () => 7, over10s: 0, over60s: 0 },
  "the time there was, while there is no more": { seconds: 2, perSecond: () => 7, over10s: 7, over60s: 7 },
  "a steady flow": { seconds: 200, perSecond: () => 7, over10s: 7, over60s: 7 },
  "a burst in the last ten seconds": {
    seconds: 200,
    perSecond: (second) => (second > 190 ? 60 : 0),
    over10s: 60,
    over60s: 10,
  },
  "a flow that stopped within the minute": {
    seconds: 200,
    perSecond: (second) => (second <= 170 ? 60 : 0),
    over10s: 0,
    over60s: 30,
  },
  "a flow that stopped long ago": {
    seconds: 300,
    perSecond: (second) => (second < 100 ? 60 : 0),
    over10s: 0,
    over60s: 0,
  },
};
for (const [sentence, { seconds, perSecond, over10s, over60s }] of Object.entries(cases)) {
  test(`RateWindow.rates(): ${sentence}`, () => {
    assert.deepEqual(follow(seconds, perSecond), { over10s, over60s });
  });
}

test("addRates() adds both", () => {
  const rates = { over10s: 1, over60s: 2 };
  assert.deepEqual(addRates(rates, noRates), rates);
  assert.deepEqual(addRates(rates, rates), { over10s: 2, over60s: 4 });
});
