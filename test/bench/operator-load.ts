import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { relayResource } from "../../operator/api/relay.ts";
import { conditionOf, type Harness } from "../integration/operator-harness.ts";
import { type AuditedRequest, auditedRequests, isOfLease, isWrite } from "./operator-audit.ts";
import { type BundledOperator, operatorUser } from "./operator-bundle.ts";
import { below, decimals, exactly, type Figure, mebibytes, seconds } from "./operator-figures.ts";

/** Several namespaces, several relays in each. */
const relaysInNamespace = 4;
/** Nothing was written for this long: settled. */
const quietMs = 5_000;
const settleDeadlineMs = 300_000;
/** Events that were put off are written before the rest begins. */
const restMs = 10_000;

export interface LoadOptions {
  readonly relays: number;
  readonly idleMs: number;
}

export interface LoadResult {
  readonly figures: readonly Figure[];
  /** In words: what is required of nobody. */
  readonly notes: readonly string[];
  /** From apply to settled; while idle. */
  readonly work: readonly AuditedRequest[];
  readonly idle: readonly AuditedRequest[];
}

/** Many relays at once, and then nothing to do. */
export async function measureLoad(
  { relays, idleMs }: LoadOptions,
  harness: Harness,
  operator: BundledOperator,
): Promise<LoadResult> {
  const before = (await requestsOf(harness)).length;
  const startMs = Date.now();
  await createRelays(harness, relays);
  const createdMs = Date.now();
  const settledMs = await untilSettled(harness, relays);
  const work = (await requestsOf(harness))
    .slice(before)
    .filter((request) => !isOfLease(request) && request.atMs <= settledMs);
  const loaded = operator.memory();
  await pause(restMs);
  const idleFromMs = Date.now();
  await pause(idleMs);
  const idle = (await requestsOf(harness)).filter(({ atMs }) => atMs >= idleFromMs);
  const idleOthers = idle.filter((request) => !isOfLease(request));
  const rested = operator.memory();
  const minutes = idleMs / 60_000;
  const of = (code: number) => String(work.filter((request) => request.code === code).length);
  const memory = { limit: 120, text: mebibytes };
  return {
    figures: [
      below(`API requests a relay, ${relays} from apply to settled`, [work.length / relays], {
        limit: 15,
        text: decimals,
      }),
      exactly("conflicts (409) in them", "0", of(409)),
      exactly("refused requests (403) in them", "0", of(403)),
      exactly(`writes in ${idleMs / 1000} idle s, Lease excepted`, "0", String(idleOthers.filter(isWrite).length)),
      below("requests a minute idle, Lease excepted", [idleOthers.length / minutes], { limit: 10, text: decimals }),
      below(`memory at ${relays} relays, at its peak`, [loaded.peakMiB, rested.peakMiB], memory),
      below(`memory at ${relays} relays, at rest`, [rested.residentMiB], memory),
    ],
    notes: [
      `${relays} relays, ${relaysInNamespace} in a namespace: created in ${seconds(createdMs - startMs)}, settled after ${seconds(settledMs - startMs)}`,
      `requests for the Lease: ${decimals((idle.length - idleOthers.length) / minutes)} a minute`,
    ],
    work,
    idle,
  };
}

async function requestsOf(harness: Harness): Promise<readonly AuditedRequest[]> {
  return auditedRequests(await readFile(harness.plane.auditLog, "utf8"), operatorUser);
}

async function createRelays(harness: Harness, relays: number): Promise<void> {
  for (let index = 0; index < relays; index += 1) {
    const namespace = `bench-${Math.floor(index / relaysInNamespace)}`;
    if (index % relaysInNamespace === 0) await harness.createNamespace(namespace);
    await harness.createRelay(namespace, `relay-${index}`, { service: { name: `relay-${index}` } });
  }
}

/** All are ready, and nothing has been written for a while. @returns when the last write was, milliseconds since 1970 */
async function untilSettled(harness: Harness, relays: number): Promise<number> {
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
