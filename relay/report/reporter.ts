import { fullJitter } from "../../lib/process/backoff.ts";
import { ApiError } from "../../lib/kube/errors.ts";
import type { KubeClient } from "../../lib/kube/types.ts";
import type { Clock, Random } from "../../lib/process/clock.ts";
import { errorText, type Log } from "../../lib/process/log.ts";
import type { NamespacedName } from "../config.ts";
import { applyEntry, classifyReportFailure, type ReportFailure, reportFailures } from "./apply-entry.ts";
import type { RelayEntry } from "./entry.ts";
import { begin, nextReportMs, nothingReported, paceMs, type Reported } from "./pace.ts";

export interface ReporterDeps {
  readonly client: Pick<KubeClient, "apply">;
  /** What there is to say now. `answeredSinceMs`: since when the API has answered; Infinity while it does not; monotonic. */
  readonly entry: (answeredSinceMs: number) => RelayEntry;
  /** Whether the start is over, so that the first report need not be taken back by a second one. */
  readonly isSettled: () => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What `/statusz` and the metrics show. Times are milliseconds since 1970. */
export interface ReportStatus {
  /** `NAMESPACE/NAME` of whom it goes to. */
  readonly relay: string;
  /** What the API took last. */
  readonly lastApplied: (RelayEntry & { readonly atMs: number }) | undefined;
  /** Kept while all is well again. */
  readonly lastError: { readonly kind: ReportFailure; readonly message: string; readonly atMs: number } | undefined;
  /** Reports by what became of them. */
  readonly counts: Readonly<Record<ReportOutcome, number>>;
}

export const reportOutcomes = ["applied", ...reportFailures] as const;
export type ReportOutcome = (typeof reportOutcomes)[number];

/** Between two looks at the counters: they tell nobody of their changes, so that events cost nothing more. */
const lookEveryMs = 1_000;
/** The first report waits this long at most for the start to be over. */
const maxHoldMs = 3_000;
const deadlineMs = 10_000;
const backoff = { initialMs: 1_000, maxMs: 30_000 } as const;

/**
 * Keeps the pod's entry in the status of its KubeArmorRelay as `entry` says, at the pace of `nextReportMs`, one report at a
 * time. Whatever becomes of them, nothing else notices.
 */
export class Reporter implements Disposable {
  readonly #relay: NamespacedName;
  readonly #deps: ReporterDeps;
  readonly #log: Log;
  readonly #closing = new AbortController();
  readonly #startedMs: number;
  readonly #counts: Record<ReportOutcome, number> = { applied: 0, gone: 0, forbidden: 0, refused: 0, unreachable: 0 };
  #reported: Reported = nothingReported;
  #lastApplied: ReportStatus["lastApplied"];
  #lastError: ReportStatus["lastError"];
  /** Of the last report. */
  #outcome: ReportOutcome = "applied";
  /** Failures in a row. */
  #failures = 0;
  /** As far as is known before the first report. */
  #answeredSinceMs = Number.NEGATIVE_INFINITY;
  #isReporting = false;
  #cancelLook = () => {};

  constructor(relay: NamespacedName, deps: ReporterDeps) {
    this.#relay = relay;
    this.#deps = deps;
    this.#log = deps.log.with({ relay: this.#name });
    this.#startedMs = deps.clock.monotonic();
    this.#lookAfter(lookEveryMs);
  }

  get status(): ReportStatus {
    return {
      relay: this.#name,
      lastApplied: this.#lastApplied,
      lastError: this.#lastError,
      counts: { ...this.#counts },
    };
  }

  /** The settings have been told: what is in force may have changed. Whoever wrote them may have begun anew, so it is told again. */
  onSettings(): void {
    this.#reported = { ...this.#reported, isDoubted: true };
    this.#look();
  }

  /** Breaks off what is under way: nobody waits for a report. */
  [Symbol.dispose](): void {
    this.#closing.abort(new Error("The relay is being stopped"));
    this.#cancelLook();
  }

  get #name(): string {
    return `${this.#relay.namespace}/${this.#relay.name}`;
  }

  #lookAfter(waitMs: number): void {
    this.#cancelLook();
    this.#cancelLook = this.#deps.clock.after(waitMs, () => this.#look());
  }

  #look(): void {
    if (this.#isReporting || this.#closing.signal.aborted) return;
    const nowMs = this.#deps.clock.monotonic();
    if (this.#isHeld(nowMs)) {
      this.#lookAfter(lookEveryMs);
      return;
    }
    const entry = this.#deps.entry(this.#answeredSinceMs);
    const atMs = nextReportMs(entry, this.#reported);
    if (atMs > nowMs) {
      this.#lookAfter(Math.min(lookEveryMs, atMs - nowMs));
      return;
    }
    this.#isReporting = true;
    // It never rejects.
    void this.#report(entry, nowMs).then(() => {
      this.#isReporting = false;
      this.#look();
    });
  }

  #isHeld(nowMs: number): boolean {
    if (this.#reported.begunMs !== Number.NEGATIVE_INFINITY) return false;
    const ageMs = nowMs - this.#startedMs;
    return ageMs < lookEveryMs || (ageMs < maxHoldMs && !this.#deps.isSettled());
  }

  async #report(entry: RelayEntry, begunMs: number): Promise<void> {
    const { clock, client, random } = this.#deps;
    // Doubts that come from now on are for the next report.
    this.#reported = begin(entry, this.#reported, begunMs, random());
    const late = new AbortController();
    const cancel = clock.after(deadlineMs, () => late.abort(new Error(`No answer within ${deadlineMs} ms`)));
    try {
      await applyEntry(client, this.#relay, entry, AbortSignal.any([this.#closing.signal, late.signal]));
      this.#onApplied(entry);
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#onFailed(error);
    } finally {
      cancel();
    }
  }

  #onApplied(entry: RelayEntry): void {
    this.#reported = { ...this.#reported, applied: entry };
    this.#lastApplied = { ...entry, atMs: this.#deps.clock.now() };
    this.#failures = 0;
    if (this.#outcome !== "applied") this.#log.info("Reporting to the KubeArmorRelay again", { after: this.#outcome });
    this.#end("applied");
  }

  #onFailed(error: unknown): void {
    const { clock, random } = this.#deps;
    const kind = classifyReportFailure(error);
    const waitMs = Math.max(fullJitter(this.#failures, backoff, random), retryAfterMs(error));
    this.#failures += 1;
    this.#reported = { ...this.#reported, retryAtMs: clock.monotonic() + waitMs };
    this.#lastError = { kind, message: errorText(error), atMs: clock.now() };
    // That it is gone is its owner's wish, and this pod goes next.
    const level = kind === "gone" || kind === this.#outcome ? "debug" : "warn";
    this.#log[level]("Cannot report to the KubeArmorRelay: events are not affected, it is tried again", {
      kind,
      error,
      wanted: wanted[kind],
      retryInMs: Math.round(Math.max(waitMs, paceMs.prompt)),
    });
    this.#end(kind);
  }

  #end(outcome: ReportOutcome): void {
    this.#outcome = outcome;
    if (outcome === "unreachable") this.#answeredSinceMs = Number.POSITIVE_INFINITY;
    else this.#answeredSinceMs = Math.min(this.#answeredSinceMs, this.#deps.clock.monotonic());
    this.#counts[outcome] += 1;
  }
}

const wanted: Readonly<Record<ReportFailure, string>> = {
  gone: "a KubeArmorRelay of that name",
  forbidden: "the right to patch kubearmorrelays/status of that name, in group operator.kubearmor.com",
  refused: "a CRD as new as the relay",
  unreachable: "an answer of the API server",
};

/** The server's own wish. */
function retryAfterMs(error: unknown): number {
  return error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
}
