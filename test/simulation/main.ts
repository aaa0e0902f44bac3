import { parseArgs } from "node:util";
import { type Outcome, simulate } from "./simulation.ts";

const usage = "Usage: main.ts [--seeds N] [--from N] | --seed N [--trace]";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "2000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});

if (values.seed === undefined) await runMany(wholeNumber(values.from), wholeNumber(values.seeds));
else await runOne(wholeNumber(values.seed), values.trace);

async function runMany(from: number, count: number): Promise<void> {
  const startedMs = performance.now();
  let events = 0;
  let steps = 0;
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await simulate(seed);
    events += outcome.events;
    steps += outcome.steps;
    if (outcome.violation === undefined) continue;
    await runOne(seed, true);
    return;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const rate = Math.round(count / seconds);
  console.log(`${count} seeds from ${from}: no violation in ${steps} steps and ${events} events; ${rate} seeds/s`);
}

async function runOne(seed: number, printsTrace: boolean): Promise<void> {
  const outcome = await simulate(seed, { keepsTrace: printsTrace });
  for (const line of outcome.trace) console.log(line);
  console.log(describe(outcome));
  if (outcome.violation !== undefined) process.exitCode = 1;
}

function describe({ seed, steps, events, violation, traceHash }: Outcome): string {
  const verdict =
    violation === undefined
      ? "no violation"
      : `violates "${violation.rule}" at ${violation.atMs.toFixed(3)} ms: ${violation.message}`;
  return `Seed ${seed}, step ${steps}, ${events} events: ${verdict} (trace ${traceHash})`;
}

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  console.error(`Cannot read "${text}", a whole number is wanted. ${usage}`);
  process.exit(2);
}
