/**
 * What the operator costs the API server and its node, against the real control plane: requests from apply to settled for
 * many relays, writes and requests while idle, memory of the bundle as its image starts it.
 *
 *   node test/bench/operator.ts [--relays=200] [--idle-seconds=60] [--details]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { nodeFlags, startEnv } from "../../hack/bundle-start.ts";
import { bundle } from "../../hack/bundle.ts";
import { relayResource } from "../../operator/api/relay.ts";
import { type Harness, conditionOf, startHarness } from "../integration/operator-harness.ts";
import { type AuditedRequest, auditedRequests, isOfLease, isWrite, tally } from "./operator-audit.ts";

const operatorUser = "system:serviceaccount:kubearmor-relay-system:kubearmor-relay-operator";
const operatorNamespace = "kubearmor-relay-system";
const relaysInNamespace = 4;
/** Nothing was written for this long: settled. */
const quietMs = 5_000;
const settleDeadlineMs = 300_000;

const { values } = parseArgs({
  options: {
    relays: { type: "string", default: "200" },
    "idle-seconds": { type: "string", default: "60" },
    details: { type: "boolean", default: false },
  },
});
const relays = Number(values.relays);
const idleSeconds = Number(values["idle-seconds"]);

interface OperatorProcess extends AsyncDisposable {
  /** Resident and at its highest, in MiB. */
  memory(): { readonly residentMiB: number; readonly peakMiB: number };
}

/** As its image starts it. */
async function startBundle(kubeconfig: string): Promise<OperatorProcess> {
  const folder = mkdtempSync(join(tmpdir(), "kubearmor-relay-bench-"));
  await bundle("operator", folder);
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    "--http-port=0",
    "--leader-elect=true",
    `--leader-elect-namespace=${operatorNamespace}`,
    "--relay-image=localhost/relay:bench",
    "--log-level=warn",
  ];
  const child = spawn(process.execPath, [...nodeFlags, join(folder, "main.js"), ...flags], {
    env: { ...startEnv, NODE_ENV: "production" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const exited = once(child, "exit");
  return {
    memory() {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]) / 1024;
      return { residentMiB: read("VmRSS"), peakMiB: read("VmHWM") };
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
      rmSync(folder, { recursive: true });
    },
  };
}

async function requestsOf(harness: Harness): Promise<readonly AuditedRequest[]> {
  return auditedRequests(await readFile(harness.plane.auditLog, "utf8"), operatorUser);
}

async function createRelays(harness: Harness): Promise<void> {
  for (let index = 0; index < relays; index += 1) {
    const namespace = `bench-${Math.floor(index / relaysInNamespace)}`;
    if (index % relaysInNamespace === 0) await harness.createNamespace(namespace);
    await harness.createRelay(namespace, `relay-${index}`, { service: { name: `relay-${index}` } });
  }
}

/** All are ready, and nothing has been written for a while. @returns when the last write was, milliseconds since 1970 */
async function untilSettled(harness: Harness): Promise<number> {
  const untilMs = performance.now() + settleDeadlineMs;
  for (;;) {
    const all = await harness.admin.list(relayResource, {});
    const ready = all.filter((relay) => conditionOf(relay, "Ready")?.status === "True").length;
    const last = (await requestsOf(harness)).findLast((request) => isWrite(request) && !isOfLease(request));
    const lastMs = last?.atMs ?? Date.now();
    if (ready === relays && Date.now() - lastMs > quietMs) return lastMs;
    if (performance.now() > untilMs) throw new Error(`Only ${ready} of ${relays} relays settled in time`);
    await pause(1_000);
  }
}

function row(name: string, value: string, wanted: string, isMet: boolean): void {
  console.log(`${name.padEnd(44)} ${value.padStart(14)}   ${wanted.padEnd(10)} ${isMet ? "met" : "NOT MET"}`);
}

function printDetails(title: string, requests: readonly AuditedRequest[]): void {
  if (!values.details) return;
  console.log(`\n${title}`);
  for (const { what, count } of tally(requests)) console.log(`  ${String(count).padStart(6)} ${what}`);
  console.log();
}

await using harness = await startHarness();
await using operator = await startBundle(harness.operatorKubeconfig);
await pause(3_000);
const before = (await requestsOf(harness)).length;
const startMs = Date.now();
await createRelays(harness);
const createdMs = Date.now();
const settledMs = await untilSettled(harness);
const work = (await requestsOf(harness))
  .slice(before)
  .filter((request) => !isOfLease(request) && request.atMs <= settledMs);
const perRelay = work.length / relays;
const conflicts = work.filter(({ code }) => code === 409).length;
const refused = work.filter(({ code }) => code === 403).length;
const loaded = operator.memory();

await pause(10_000);
const idleStartMs = Date.now();
await pause(idleSeconds * 1000);
const idle = (await requestsOf(harness)).filter(({ atMs }) => atMs >= idleStartMs);
const idleOthers = idle.filter((request) => !isOfLease(request));
const idleWrites = idleOthers.filter(isWrite).length;
const perMinute = idleOthers.length / (idleSeconds / 60);
const leasePerMinute = (idle.length - idleOthers.length) / (idleSeconds / 60);
const rested = operator.memory();

console.log(
  `${relays} relays, ${relaysInNamespace} in a namespace; created in ${((createdMs - startMs) / 1000).toFixed(1)} s`,
);
row("settled after", `${((settledMs - startMs) / 1000).toFixed(1)} s`, "", true);
row("API requests a relay, apply to settled", perRelay.toFixed(2), "< 15", perRelay < 15);
row("conflicts (409)", String(conflicts), "0", conflicts === 0);
row("refused (403)", String(refused), "0", refused === 0);
row(
  "memory when settled (peak)",
  `${loaded.residentMiB.toFixed(0)} (${loaded.peakMiB.toFixed(0)}) MiB`,
  "< 120",
  loaded.peakMiB < 120,
);
row(`memory after ${idleSeconds} s of rest`, `${rested.residentMiB.toFixed(0)} MiB`, "< 120", rested.residentMiB < 120);
row(`writes in ${idleSeconds} idle s, Lease excepted`, String(idleWrites), "0", idleWrites === 0);
row("requests a minute idle, Lease excepted", perMinute.toFixed(1), "< 10", perMinute < 10);
row("of the Lease a minute", leasePerMinute.toFixed(1), "", true);
printDetails("From apply to settled:", work);
printDetails("Idle:", idle);
