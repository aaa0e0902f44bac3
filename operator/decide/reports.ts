import type { KubeObject } from "../../lib/kube/types.ts";
import type { RelayStatus } from "../api/relay.ts";
import { isOver } from "./pods.ts";

/** What one relay pod says of itself: its entry of `status.relays`. */
export type Report = NonNullable<RelayStatus["relays"]>[number];

export interface Reporting {
  /** All pods of the relay that are known. */
  readonly pods: readonly KubeObject[];
  readonly entries: readonly Report[];
  /** Of the live ConfigMap; undefined: there is none. */
  readonly settings: { readonly hash: string; readonly sinceMs: number } | undefined;
  /** Milliseconds since 1970, as `sinceMs`. */
  readonly nowMs: number;
}

/** What the entries come to. An entry of a pod that is over or being deleted counts for nothing. */
export interface Reports {
  /** Pods that are neither over nor being deleted. */
  readonly livePods: number;
  /** What every pod that runs confirms to print. */
  readonly stdout: string | undefined;
  readonly version: string | undefined;
  /** Most seen, least connected: what is connected to one pod only is not connected well. */
  readonly agents: Report["agents"];
  /** Of all pods together. */
  readonly loss: Report["loss"];
  /** What pods say is wrong with them. */
  readonly problems: readonly string[];
  /** What has yet to be confirmed, and by which pods. */
  readonly waiting: readonly string[];
  /** Those of them that have been ready for so long that something must be wrong. */
  readonly silent: readonly string[];
  /** After how long another pod is to be called silent. */
  readonly nextSilentMs: number | undefined;
  /** Pods whose entries are to be removed. */
  readonly gone: readonly string[];
}

/** A pod that serves for this long without a word about the settings does not report. */
export const silentAfterMs = 60_000;

export function readReports({ pods, entries, settings, nowMs }: Reporting): Reports {
  const live = pods.filter((pod) => !isOver(pod)).toSorted(byName);
  const byPod = new Map(entries.map((entry) => [entry.pod, entry]));
  const found = live.map((pod) => ({ pod, report: byPod.get(pod.metadata.name), readySinceMs: readySinceMs(pod) }));
  const reports = found.flatMap(({ report }) => (report === undefined ? [] : [report]));
  const late = found
    .filter(({ report }) => settings === undefined || report?.settings !== settings.hash)
    .map(({ pod, report, readySinceMs: sinceMs }) => ({
      text: `Pod ${pod.metadata.name} ${report === undefined ? "has not reported yet" : "has yet to take up the settings"}`,
      silentInMs:
        sinceMs === undefined
          ? undefined
          : Math.min(nowMs, Math.max(sinceMs, settings?.sinceMs ?? 0)) + silentAfterMs - nowMs,
    }));
  const soon = late.flatMap(({ silentInMs = 0 }) => (silentInMs > 0 ? [silentInMs] : []));
  const running = found.filter(({ report, readySinceMs: sinceMs }) => report !== undefined || sinceMs !== undefined);
  const kept = new Set(pods.filter((pod) => !hasEnded(pod)).map(({ metadata }) => metadata.name));
  const stdout = running.every(({ report }) => settings !== undefined && report?.settings === settings.hash)
    ? agreed(running.map(({ report }) => report?.stdout))
    : undefined;
  const isAtOdds = live.length > 0 && late.length === 0 && stdout === undefined;
  return {
    livePods: live.length,
    stdout,
    version: versionsOf(reports),
    agents: agentsOf(reports),
    loss: lossOf(reports),
    problems: reports.flatMap(({ pod, problem = "" }) => (problem === "" ? [] : [`Pod ${pod}: ${problem}`])),
    waiting: isAtOdds ? [atOddsText(reports)] : late.map(({ text }) => text),
    silent: late.filter(({ silentInMs }) => silentInMs !== undefined && silentInMs <= 0).map(({ text }) => text),
    nextSilentMs: soon.length === 0 ? undefined : Math.min(...soon),
    gone: entries.map(({ pod }) => pod).filter((pod) => !kept.has(pod)),
  };
}

interface PodView {
  readonly metadata: KubeObject["metadata"];
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastTransitionTime?: string;
    }[];
  };
}

function byName(a: KubeObject, b: KubeObject): number {
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

/** Undefined while it is not ready. */
function readySinceMs({ status }: PodView): number | undefined {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True" ? Date.parse(ready.lastTransitionTime ?? "1970-01-01T00:00:00Z") : undefined;
}

/** A pod that is being deleted may report until it has ended: its entry would only come back. */
export function hasEnded({ status }: PodView): boolean {
  return status?.phase === "Failed" || status?.phase === "Succeeded";
}

function agreed(values: readonly (string | undefined)[]): string | undefined {
  const [first] = values;
  return values.every((value) => value === first) ? first : undefined;
}

/** Pods that confirm the same settings and print differently: none of them can be believed. */
function atOddsText(reports: readonly Report[]): string {
  const all = reports.map(({ pod, stdout = "nothing that it tells of" }) => `pod ${pod} prints ${stdout}`);
  return `Pods with the same settings have yet to agree: ${all.join(", ")}`;
}

function versionsOf(reports: readonly Report[]): string | undefined {
  const versions = new Set(reports.flatMap(({ version = "" }) => (version === "" ? [] : [version])));
  return versions.size === 0 ? undefined : [...versions].toSorted().join(", ");
}

function agentsOf(reports: readonly Report[]): Report["agents"] {
  const all = reports.flatMap(({ agents }) => (agents === undefined ? [] : [agents]));
  if (all.length === 0) return undefined;
  return {
    seen: Math.max(...all.map(({ seen = 0 }) => seen)),
    connected: Math.min(...all.map(({ connected = 0 }) => connected)),
  };
}

function lossOf(reports: readonly Report[]): Report["loss"] {
  const all = reports.flatMap(({ loss }) => (loss === undefined ? [] : [loss]));
  if (all.length === 0) return undefined;
  // A sum beyond this could not be read back, and would be written again at every pass.
  const sum = (name: "dropped" | "gaps") =>
    Math.min(
      Number.MAX_SAFE_INTEGER,
      all.reduce((total, loss) => total + (loss[name] ?? 0), 0),
    );
  return { dropped: sum("dropped"), gaps: sum("gaps") };
}
