import { isDeepStrictEqual } from "node:util";
import { type Relay, type RelayStatus, parseRelay, relayResource } from "../api/relay.ts";
import { type Refusal, conditionsOf } from "../decide/conditions.ts";
import { lostPodsOf } from "../decide/lost-pods.ts";
import { readReports } from "../decide/reports.ts";
import {
  hasSurplus,
  isAwaitingReport,
  isNotReporting,
  isNumbersOnly,
  isProgressOnly,
  isSameStatus,
  nextStatus,
} from "../decide/status.ts";
import { transitionsOf } from "../decide/transitions.ts";
import type { WriteResult } from "../decide/write-result.ts";
import { forgetPods } from "./forget-pods.ts";
import type { Memory, ReconcilerDeps } from "./reconciler.ts";
import { factsOf, writeStatus } from "./status.ts";
import type { StatusPace } from "./status-pace.ts";

/** Sooner than any watch event: what was read is known to be out of date. */
const atOnceMs = 1;

/** @returns after how many milliseconds there is something to be reported still; 0 = nothing */
export async function report(
  key: string,
  relay: Relay,
  problems: readonly string[],
  result: WriteResult,
  deps: ReconcilerDeps & Memory,
  signal: AbortSignal,
  refusal: Refusal = "InvalidSpec",
): Promise<number> {
  const { view, pace } = deps;
  const live = newest(relay, deps);
  // Its spec has changed meanwhile: what there is to say is about that, and is said by the pass that comes for it.
  if (live === undefined) return 0;
  const facts = factsOf(relay, view);
  const nowMs = deps.clock.now();
  const pods = view.podsOf(key);
  const { relays: entries = [] } = live.status;
  const reports = readReports({ pods, entries, settings: facts.settings, nowMs });
  const { fights } = deps.contention.of(key);
  const { deployment } = facts;
  const lost = lostPodsOf(pods, deployment, nowMs);
  const situation = {
    relay,
    problems,
    refusal,
    write: result,
    deployment,
    pods,
    lostPods: lost.names,
    reports,
    fights,
  };
  const status = nextStatus(live, conditionsOf(situation), facts, reports, nowMs);
  const againMs = await write(key, live, status, deps, signal);
  const isOld = reports.gone.length > 0 && (await forgetPods(live, reports.gone, deps, signal));
  if (!isAwaitingReport(status) && !isNotReporting(status)) pace.reported(key);
  return soonest(isOld ? atOnceMs : 0, againMs, reports.nextSilentMs ?? 0, lost.nextMs ?? 0);
}

/** The relay as it is known by now: pods report while a pass writes. Undefined when it is to be another one. */
function newest(relay: Relay, { view }: ReconcilerDeps): Relay | undefined {
  const object = view.get(relayResource, relay.metadata);
  if (object === undefined) return relay;
  const { uid, generation } = relay.metadata;
  return object.metadata.uid === uid && object.metadata.generation === generation ? parseRelay(object) : undefined;
}

/** @returns after how many milliseconds it is to be looked at again; 0 = no need */
async function write(
  key: string,
  live: Relay,
  status: RelayStatus,
  deps: ReconcilerDeps & Memory,
  signal: AbortSignal,
): Promise<number> {
  if (isSameStatus(live.status, status)) return 0;
  const waitMs = waitOf(key, live.status, status, deps.pace);
  if (waitMs > 0) return waitMs;
  const written = await writeStatus(live, status, deps, signal);
  if (written === undefined) return 0;
  deps.pace.wrote(key);
  for (const transition of transitionsOf(live.status, status)) deps.record(live, transition);
  // A report that came just before: its own watch event is older than this answer, and so is no news any more.
  const isOld = !isDeepStrictEqual(written.status.relays, live.status.relays);
  return isOld || hasSurplus(written.status, status) ? atOnceMs : 0;
}

/** How long this news has to wait: it is likely to be overtaken, or there was too much of it. */
function waitOf(key: string, live: RelayStatus, next: RelayStatus, pace: StatusPace): number {
  return Math.max(pace.floorMs(key), waitForMore(key, live, next, pace));
}

function waitForMore(key: string, live: RelayStatus, next: RelayStatus, pace: StatusPace): number {
  if (isAwaitingReport(next) && !isAwaitingReport(live)) return pace.patienceMs(key, "report");
  if (isNotReporting(next) && !isNotReporting(live)) return pace.patienceMs(key, "silence");
  if (isNumbersOnly(live, next)) return pace.waitMs(key, "numbers");
  return isProgressOnly(live, next) ? pace.waitMs(key, "progress") : 0;
}

/** Zeros aside. */
function soonest(...waitsMs: readonly number[]): number {
  const some = waitsMs.filter((waitMs) => waitMs > 0);
  return some.length === 0 ? 0 : Math.min(...some);
}
