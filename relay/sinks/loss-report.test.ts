import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { type LogFields, silentLog } from "../../lib/process/log.ts";
import { LossReport } from "./loss-report.ts";

test("LossReport says a loss soon, and what follows summed up once a second", () => {
  const lines: (LogFields | undefined)[] = [];
  const clock = new FakeClock();
  const losses = new LossReport(
    { sink: "stdout" },
    { clock, log: { ...silentLog, warn: (_, fields) => lines.push(fields) } },
  );
  losses.add("alerts", "full", 0);
  clock.advance(5000);
  assert.deepEqual(lines, []);
  losses.add("alerts", "full", 3);
  clock.advance(0);
  assert.deepEqual(lines, [{ sink: "stdout", events: { "alerts.full": 3 } }]);
  for (let ms = 0; ms < 999; ms++) {
    losses.add("alerts", "full", 1);
    losses.add("logs", "closed", 2);
    clock.advance(1);
  }
  assert.equal(lines.length, 1);
  clock.advance(1);
  assert.deepEqual(lines[1], { sink: "stdout", events: { "alerts.full": 999, "logs.closed": 1998 } });
  clock.advance(5000);
  assert.equal(lines.length, 2);
});

test("LossReport.flush() says at once what has not been said", () => {
  const lines: (LogFields | undefined)[] = [];
  const losses = new LossReport(
    { sink: "stdout" },
    { clock: new FakeClock(), log: { ...silentLog, warn: (_, fields) => lines.push(fields) } },
  );
  losses.add("logs", "shutdown", 7);
  losses.flush();
  losses.flush();
  assert.deepEqual(lines, [{ sink: "stdout", events: { "logs.shutdown": 7 } }]);
});
