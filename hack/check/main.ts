/**
 * Checks what arrives from agents or from a relay: nothing lost, doubled, out of order or unreadable. One JSON line on
 * stdout at the end; exit status 0 only when all was as expected.
 */
import { createInterface } from "node:readline";
import { helpText, parseFlags } from "../agents/flags.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { createLog, errorText } from "../../lib/process/log.ts";
import { startChecker } from "./checker.ts";
import type { CheckConfig } from "./options.ts";
import { checkConfig, checkFlags, readAgentCounts } from "./options.ts";
import type { TallyReport } from "./tally.ts";
import { Tally } from "./tally.ts";
import { findProblems } from "./verdict.ts";

const usage = "node hack/check/main.ts --address HOST:PORT [flags]";

function readConfig(args: readonly string[]): CheckConfig | undefined {
  try {
    const flags = parseFlags(checkFlags, args);
    if (!flags.is("help")) return checkConfig(flags);
    process.stdout.write(helpText(usage, checkFlags));
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n\n${helpText(usage, checkFlags)}`);
    process.exitCode = 2;
  }
  return undefined;
}

/** Resolves at the first of: a signal, the end of the duration, what is passed. */
async function untilOver(config: CheckConfig, enough: Promise<void> | undefined): Promise<void> {
  const ends: Promise<void>[] = [
    new Promise((resolve) => process.once("SIGTERM", () => resolve())),
    new Promise((resolve) => process.once("SIGINT", () => resolve())),
  ];
  if (enough !== undefined) ends.push(enough);
  const { durationMs } = config;
  if (durationMs !== undefined) ends.push(new Promise((resolve) => systemClock.after(durationMs, resolve)));
  await Promise.race(ends);
}

async function checkLines(): Promise<TallyReport> {
  const tally = new Tally();
  for await (const line of createInterface({ input: process.stdin })) {
    if (isJson(line)) tally.add(line, undefined);
    else tally.addGarbage();
  }
  return tally.report();
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    // That it cannot be parsed is the answer.
    return false;
  }
}

async function checkAddress(address: string, config: CheckConfig): Promise<TallyReport> {
  await using checker = await startChecker(address, config.checker);
  await untilOver(config, config.events === undefined ? undefined : checker.untilEvents(config.events));
  return checker.report();
}

async function run(config: CheckConfig): Promise<void> {
  const { source, agentsReport } = config;
  const startedMs = systemClock.monotonic();
  const report = source.kind === "stdin" ? await checkLines() : await checkAddress(source.address, config);
  const agents = agentsReport === undefined ? [] : readAgentCounts(agentsReport);
  const problems = findProblems(report, { ...config.expectations, agents });
  const sequences = report.sequences.filter(
    ({ lost, duplicates, reordered }) => config.allSequences || lost + duplicates + reordered > 0,
  );
  const durationMs = Math.round(systemClock.monotonic() - startedMs);
  process.stdout.write(`${JSON.stringify({ kind: "check", problems, durationMs, ...report, sequences })}\n`);
  if (problems.length > 0) process.exitCode = 1;
}

const config = readConfig(process.argv.slice(2));
if (config !== undefined) {
  run(config).catch((error: unknown) => {
    createLog("error").error("Cannot check", { error });
    process.exitCode = 1;
  });
}
