/** Cost and rate of stdout lines: `node test/bench/stdout.ts | cat > /dev/null`; the numbers go to stderr. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import type { Batch, Consumer } from "../../relay/hub/batch.ts";
import { openWriter } from "../../relay/sinks/open-writer.ts";
import { StdoutSink } from "../../relay/sinks/stdout.ts";
import { encodeFrame } from "../../relay/wire/frame-cutter.ts";

/** How often events are offered, as many as are due. */
const intervalMs = 5;
const secondsPerLoad = 4;

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

/** Offers `rate` events a second and returns how many that were. */
async function offerAtRate(consumer: Consumer, rate: number): Promise<number> {
  const batch = batchOf(20);
  const startMs = performance.now();
  let offered = 0;
  for (let elapsedMs = 0; elapsedMs < secondsPerLoad * 1000; elapsedMs = performance.now() - startMs) {
    for (const due = (elapsedMs / 1000) * rate; offered + batch.events <= due; offered += batch.events) {
      consumer.offer(batch);
    }
    await sleep(intervalMs);
  }
  return offered;
}

/** Keeps the queue half full: nothing is dropped, and printing never waits for events. */
async function offerAtWill(sink: StdoutSink): Promise<void> {
  const batch = batchOf(100);
  const startMs = performance.now();
  while (performance.now() - startMs < secondsPerLoad * 1000) {
    while (sink.queuedBytes < 8 << 20) sink.offer(batch);
    await sleep(intervalMs);
  }
}

async function measure(name: string, load: (sink: StdoutSink) => Promise<unknown>): Promise<string> {
  const deps = { clock: systemClock, log: silentLog };
  const sink = new StdoutSink({ maxQueueBytes: 16 << 20 }, { ...deps, writer: openWriter(1, deps) });
  const startMs = performance.now();
  const cpuBefore = process.cpuUsage();
  await load(sink);
  await sink.close(AbortSignal.timeout(10_000));
  const { user, system } = process.cpuUsage(cpuBefore);
  const elapsedMs = performance.now() - startMs;
  const { received, printed, dropped, unreadable, queued } = sink.counts("alerts");
  const cost = `${((user + system) / printed).toFixed(2)} µs CPU a line (system: ${(system / printed).toFixed(2)})`;
  const rate = `${Math.round((printed / elapsedMs) * 1000)} lines/s`;
  return `${name}: ${cost}, ${rate}, received ${received} = printed ${printed} + dropped ${dropped} + unreadable ${unreadable} + queued ${queued}`;
}

/** What the bench itself costs at a rate, with nobody to print. */
async function measureLoad(rate: number): Promise<string> {
  const cpuBefore = process.cpuUsage();
  const offered = await offerAtRate({ offer() {} }, rate);
  const { user, system } = process.cpuUsage(cpuBefore);
  return `${rate} events/s offered to nobody: ${((user + system) / offered).toFixed(2)} µs CPU an event`;
}

console.error(`${cpus()[0]?.model} x ${cpus().length}, node ${process.version}; events of ${event.length} bytes`);
await measure("warm-up", offerAtWill);
console.error(await measure("as fast as it can", offerAtWill));
console.error(await measure("20k/s", (sink) => offerAtRate(sink, 20_000)));
console.error(await measureLoad(20_000));
