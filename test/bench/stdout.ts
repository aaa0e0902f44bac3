/** Cost and rate of stdout lines: `node test/bench/stdout.ts | cat > /dev/null`; the numbers go to stderr. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import type { Batch } from "../../relay/hub/batch.ts";
import { openWriter } from "../../relay/sinks/open-writer.ts";
import { StdoutSink } from "../../relay/sinks/stdout.ts";
import { encodeFrame } from "../../relay/wire/frame-cutter.ts";

interface Load {
  readonly name: string;
  /** Events per second; undefined = as fast as they are printed. */
  readonly rate?: number;
  readonly seconds: number;
}

const loads: readonly Load[] = [
  { name: "warm-up", seconds: 1 },
  { name: "20k lines/s", rate: 20_000, seconds: 4 },
  { name: "as fast as it can", seconds: 4 },
];
/** How often a batch is offered. */
const intervalMs = 5;
const eventsPerFullBatch = 200;

const fixtures = new URL("../fixtures/events.jsonl", import.meta.url);
const sample = readFileSync(fixtures, "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as { name: string; wire: string })
  .find(({ name }) => name === "real/alert-capability-block");
const event = Buffer.from(sample?.wire ?? "", "base64");
const frame = encodeFrame(event);

function batchOf(events: number): Batch {
  return { feed: "alerts", bytes: Buffer.concat(Array.from({ length: events }, () => frame)), events };
}

async function run(load: Load): Promise<string> {
  const writer = openWriter(1, { clock: systemClock, log: silentLog });
  const sink = new StdoutSink({ maxQueueBytes: 8 << 20 }, { writer, clock: systemClock, log: silentLog });
  const batch = batchOf(load.rate === undefined ? eventsPerFullBatch : (load.rate * intervalMs) / 1000);
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  let offered = 0;
  for (let nowMs = startMs; nowMs < startMs + load.seconds * 1000; nowMs = performance.now()) {
    const dueEvents = ((nowMs - startMs) / 1000) * (load.rate ?? 0);
    // Without a rate the queue is kept half full: nothing is dropped, nothing waits for input.
    while (load.rate === undefined ? sink.queuedBytes < 4 << 20 : offered + batch.events <= dueEvents) {
      sink.offer(batch);
      offered += batch.events;
    }
    await sleep(intervalMs);
  }
  await sink.close(AbortSignal.timeout(10_000));
  const elapsedMs = performance.now() - startMs;
  const cpu = process.cpuUsage(cpuBefore);
  const { received, printed, dropped, unreadable, queued } = sink.counts("alerts");
  const perLine = (cpu.user + cpu.system) / printed;
  const rate = Math.round((printed / elapsedMs) * 1000);
  return `${load.name}: ${perLine.toFixed(2)} µs CPU a line (${((100 * cpu.system) / (cpu.user + cpu.system)).toFixed(0)} % system), ${rate} lines/s, received ${received} = printed ${printed} + dropped ${dropped} + unreadable ${unreadable} + queued ${queued}`;
}

console.error(`${cpus()[0]?.model} x ${cpus().length}, node ${process.version}; events of ${event.length} bytes`);
for (const load of loads) {
  const line = await run(load);
  if (load.name !== "warm-up") console.error(line);
}
