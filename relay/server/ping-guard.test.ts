import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { PingGuard } from "./ping-guard.ts";

/** When pings come, and how many bytes the connection has sent by then. */
type Ping = readonly [afterMs: number, sentBytes: number];

const cases: Record<string, { pings: readonly Ping[]; isFlood: boolean }> = {
  "three quick pings are no flood": {
    pings: [
      [0, 100],
      [1, 100],
      [1, 100],
    ],
    isFlood: false,
  },
  "four quick pings are": {
    pings: [
      [0, 100],
      [1, 100],
      [1, 100],
      [1, 100],
    ],
    isFlood: true,
  },
  "pings every 5 s are not": { pings: Array.from({ length: 20 }, (): Ping => [5_000, 100]), isFlood: false },
  "pings as quick as data are not": { pings: Array.from({ length: 20 }, (_, i): Ping => [0, i * 10]), isFlood: false },
  "data makes up for earlier strikes": {
    pings: [
      [0, 100],
      [1, 100],
      [1, 100],
      [1, 200],
      [1, 200],
      [1, 200],
    ],
    isFlood: false,
  },
  "answers that wait to be sent are no data": {
    pings: [
      [0, 100],
      [0, 83],
      [0, 66],
      [0, 100],
    ],
    isFlood: true,
  },
};

for (const [criterion, { pings, isFlood }] of Object.entries(cases)) {
  test(`PingGuard.isFlood(): ${criterion}`, () => {
    const clock = new FakeClock();
    const guard = new PingGuard(clock);
    const verdicts = pings.map(([afterMs, sentBytes]) => {
      clock.advance(afterMs);
      return guard.isFlood(sentBytes);
    });
    assert.deepEqual(verdicts, [...verdicts.slice(0, -1).map(() => false), isFlood]);
  });
}
