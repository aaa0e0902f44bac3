/**
 * Random edits of many relays through a proxy at which 5 % of all requests go wrong, and 40 % of all watches, then silence: is
 * everything as desired, do writes stop, and what does the process hold? Watches end after half a minute to a minute.
 *
 *   node test/soak/operator.ts --minutes=15 --relays=200 [--seed=1]
 */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { loadCluster } from "../../lib/kube/credentials.ts";
import { microTime } from "../../lib/kube/micro-time.ts";
import type { ObjectName } from "../../lib/kube/types.ts";
import { auditedCalls, isWriteOfObject } from "../integration/operator-audit.ts";
import { newIdentity, operatorUser, startChild } from "../integration/operator-child.ts";
import { startFaultProxy } from "../integration/operator-fault-proxy.ts";
import {
  createWalked,
  randomFaults,
  randomOf,
  untilAsDesired,
  untilSilent,
  walkStep,
} from "../integration/operator-faults-walk.ts";
import { startHarness } from "../integration/operator-harness.ts";
import { parseSamples, readMetrics } from "../integration/operator-metrics-text.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "15" },
    relays: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
  },
});
const [minutes, count, seed] = [Number(values.minutes), Number(values.relays), Number(values.seed)];
const print = (line: string) => process.stdout.write(`${line}\n`);
const perNamespace = 20;
const sampleMs = 10_000;

interface Sample {
  readonly atMs: number;
  readonly rssMiB: number;
  readonly sockets: number;
  /** Open files that are none. */
  readonly files: number;
}

function sampleOf(pid: number): Sample {
  const rssKiB = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => targetOf(`/proc/${pid}/fd/${fd}`));
  const sockets = targets.filter((target) => target.startsWith("socket:")).length;
  return { atMs: performance.now(), rssMiB: rssKiB / 1024, sockets, files: targets.length - sockets };
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    // Closed since the folder was read.
    return "";
  }
}

/** How many watches of the operator ended, by reason. */
async function restartsOf(httpPort: number): Promise<ReadonlyMap<string, number>> {
  const samples = parseSamples(await readMetrics({ httpPort }));
  const byReason = new Map<string, number>();
  for (const [series, value] of samples) {
    const reason = /^kubearmorrelay_watch_restarts_total\{.*reason="([^"]+)"/.exec(series)?.[1];
    if (reason !== undefined) byReason.set(reason, (byReason.get(reason) ?? 0) + value);
  }
  return byReason;
}

/** Least squares, per minute. */
function slopePerMinute(samples: readonly Sample[], of: (sample: Sample) => number): number {
  const minutesOf = ({ atMs }: Sample) => atMs / 60_000;
  const mean = (value: (sample: Sample) => number) =>
    samples.reduce((sum, each) => sum + value(each), 0) / samples.length;
  const [meanX, meanY] = [mean(minutesOf), mean(of)];
  const spread = samples.reduce((sum, each) => sum + (minutesOf(each) - meanX) ** 2, 0);
  return samples.reduce((sum, each) => sum + (minutesOf(each) - meanX) * (of(each) - meanY), 0) / spread;
}

const random = randomOf(seed);
await using harness = await startHarness();
await using proxy = await startFaultProxy(loadCluster({ kubeconfig: harness.operatorKubeconfig }));
const { kubeconfig, token } = await newIdentity(harness.plane, "soak", proxy.cluster.server);
const program = new URL("operator-program.ts", import.meta.url).pathname;
await using child = startChild(kubeconfig, ["--leader-elect=false"], program);
const { pid = 0 } = child.process;
await child.logged("Reconciling");
const httpPort = Number((await child.logged("Serving metrics"))["httpPort"]);

const relays: readonly ObjectName[] = Array.from({ length: count }, (_, index) => ({
  namespace: `soak-${Math.floor(index / perNamespace)}`,
  name: `relay-${index}`,
}));
for (const namespace of new Set(relays.map((relay) => relay.namespace ?? ""))) await harness.createNamespace(namespace);
for (const relay of relays) await createWalked(relay, harness);
for (const relay of relays) await untilAsDesired(harness.admin, relay, "localhost/relay:test");
print(`${microTime(Date.now())} ${count} relays are made; ${minutes} minutes of edits, seed ${seed}`);

let watches = 0;
let broken = 0;
const fault = randomFaults(0.05, random);
// There are few of them.
const faultOfWatch = randomFaults(0.4, random);
proxy.fault = (asked) => {
  const chosen = (asked.isWatch ? faultOfWatch : fault)(asked);
  if (asked.isWatch) watches += 1;
  if (asked.isWatch && chosen !== undefined) broken += 1;
  return chosen;
};
const samples: Sample[] = [sampleOf(pid)];
const untilMs = performance.now() + minutes * 60_000;
let steps = 0;
let nextSampleMs = performance.now() + sampleMs;
while (performance.now() < untilMs) {
  const relay = relays[Math.floor(random() * relays.length)];
  if (relay !== undefined) await walkStep(relay, { harness, random });
  steps += 1;
  await pause(random() * 100);
  if (performance.now() >= nextSampleMs) {
    samples.push(sampleOf(pid));
    nextSampleMs += sampleMs;
  }
}
const faults = proxy.count;
proxy.fault = () => undefined;
for (const relay of relays) await untilAsDesired(harness.admin, relay, "localhost/relay:test");
await untilSilent(harness.plane.auditLog, operatorUser);
const end = sampleOf(pid);
const restarts = await restartsOf(httpPort);
const calls = (await auditedCalls(harness.plane.auditLog)).filter(({ user }) => user === operatorUser);
// The first half is warming up: caches fill, and the optimizer works.
const settled = samples.slice(Math.floor(samples.length / 2));
const range = (of: (sample: Sample) => number) =>
  `${Math.min(...samples.map(of)).toFixed(0)} to ${Math.max(...samples.map(of)).toFixed(0)}`;
print(
  `steps ${steps}, faults ${faults}, requests served ${calls.length}, writes ${calls.filter(isWriteOfObject).length}`,
);
print(`watches begun ${watches}, of which ${broken} were harmed`);
print(`watches ended: ${[...restarts].map(([reason, ended]) => `${reason} ${ended}`).join(", ")}`);
print(`RSS MiB ${range(({ rssMiB }) => rssMiB)}, at the end ${end.rssMiB.toFixed(0)}`);
print(`RSS slope of the second half ${slopePerMinute(settled, ({ rssMiB }) => rssMiB).toFixed(2)} MiB a minute`);
print(`open sockets ${range(({ sockets }) => sockets)}, at the end ${end.sockets}`);
print(`other open files ${range(({ files }) => files)}, at the end ${end.files}`);
const panics = child
  .log()
  .split("\n")
  .filter((line) => line.includes('"stack":')).length;
print(`mistakes of the program in its log ${panics}, its token in its log ${child.log().includes(token)}`);
print("live = desired for every relay, and nothing is written any more");
child.process.kill("SIGTERM");
const status = await child.exited;
print(`it ended with status ${status}`);
if (status !== 0 || panics > 0 || child.log().includes(token)) process.exitCode = 1;
