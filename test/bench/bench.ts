import { machineText } from "./machine.ts";
import { readFileSync } from "node:fs";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { bundle } from "../../hack/bundle.ts";
import { buildLoad } from "./build.ts";
import type { BenchConfig } from "./config.ts";
import { fixtureWire, numberedEvent } from "./event.ts";
import { measure, type Result } from "./measure.ts";
import { loopback, namespaces } from "./network.ts";
import { heading, ratioLine, resultLine } from "./report.ts";
import { summary } from "./summary.ts";
import { ours, peer, type Subject } from "./subject.ts";
import { isStdout, type Row } from "./rows.ts";
import { allowedCores } from "./usage.ts";

/** Two descriptors each; 20,000 is a common limit. */
const maxFloorConnections = 5_000;

export interface BenchDeps {
  readonly print: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Measures every row: the floor, this project's relay, the peer. Prints a line for each as it is known. */
export async function bench(config: BenchConfig, { print, signal }: BenchDeps): Promise<readonly Result[]> {
  const isRoot = process.getuid?.() === 0;
  if (process.platform !== "linux") throw new Error(`Cannot measure on ${process.platform}: Linux is wanted`);
  const allowed = allowedCores(readFileSync("/proc/self/status", "utf8"));
  const { relayCore = allowed[0], loadCore = allowed.find((core) => core !== relayCore) } = config;
  if (relayCore === undefined || loadCore === undefined) {
    throw new Error(`Cannot measure on ${allowed.length} core: two are wanted, one for the relay and one for the load`);
  }
  if (config.peer !== undefined && (!isRoot || config.loopback)) {
    throw new Error(`Cannot measure '${config.peer}': it needs network namespaces, so root and no --loopback`);
  }
  const fixtures = await readFile(path.resolve(import.meta.dirname, "../fixtures/events.jsonl"), "utf8");
  const event = numberedEvent(fixtureWire(fixtures, config.feed.event));
  await using folder = await mkdtempDisposable(path.join(tmpdir(), "bench-relay-"));
  // Made anew: dist/ may be of another day, or another run's.
  if (config.ours && config.entry === undefined) await bundle("relay", folder.path);
  const loadBinary = await buildLoad(config.cache, config.env, signal);
  await using network = isRoot && !config.loopback ? await namespaces(config.env, signal) : await loopback();

  const program = {
    entry: config.entry ?? path.join(folder.path, "main.js"),
    nodeFlags: config.nodeFlags,
    env: config.relayEnv,
  };
  const where = { placement: { core: relayCore, nice: config.nice }, env: config.env };
  const subjects: readonly (Subject | undefined)[] = [
    ...(config.floor ? [undefined] : []),
    ...(config.ours ? [ours(program, where)] : []),
    ...(config.peer === undefined ? [] : [peer(config.peer, where)]),
  ];
  print(machineText());
  print(
    `${event.wire.length}-byte events made every ${config.tickUs} µs, ${config.windowMs / 1000} s a row, ${network.kind}, relay on core ` +
      `${relayCore}, load on core ${loadCore}, CPU from the scheduler's accounting`,
  );
  print(`\n${heading()}`);
  const results: Result[] = [];
  for (const row of config.rows) {
    const ofRow: Result[] = [];
    for (const subject of subjects) {
      if (subject === undefined && !hasFloor(row)) continue;
      const result = await measure(row, subject, {
        network,
        loadBinary,
        loadPlacement: { core: loadCore, nice: config.nice },
        tickUs: config.tickUs,
        env: config.env,
        event,
        path: config.feed.path,
        filter: config.feed.filter,
        stdoutVariable: config.feed.stdoutVariable,
        warmUpMs: config.warmUpMs,
        windowMs: config.windowMs,
        overloadMs: config.overloadMs,
        signal,
      });
      ofRow.push(result);
      print(resultLine(result));
    }
    const mine = ofRow.find((result) => result.subject === "ours");
    const theirs = ofRow.find((result) => result.subject === "peer");
    if (mine !== undefined && theirs !== undefined) print(ratioLine(mine, theirs));
    results.push(...ofRow);
  }
  print(`\n${summary(config.rows, results)}`);
  return results;
}

/** Without a relay in between there is nothing to print, to come back or to be too slow for. */
function hasFloor(row: Row): boolean {
  const isPlain = row.twist === undefined || row.twist.kind === "burst";
  return isPlain && !isStdout(row) && row.agents * row.subscribers <= maxFloorConnections;
}
