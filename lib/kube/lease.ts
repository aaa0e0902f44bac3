import { isDeepStrictEqual } from "node:util";
import { delay } from "../process/clock.ts";
import type { Clock, Random } from "../process/clock.ts";
import type { Log } from "../process/log.ts";
import { isAlreadyExists, isConflict } from "./errors.ts";
import { heldByOtherUntilMs, leaseBody, releasedBody, specOf } from "./lease-record.ts";
import type { ObservedLease } from "./lease-record.ts";
import { leases } from "./resources.ts";
import type { KubeClient, KubeObject } from "./types.ts";

const releaseDeadlineMs = 2_000;

export interface ElectionTimes {
  /** How long others wait after the last renewal that they saw. */
  readonly leaseDurationMs: number;
  /** How long the holder may go on after its last renewal. */
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

/** Those of Kubernetes' own components. */
export const defaultElectionTimes: ElectionTimes = {
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryPeriodMs: 2_000,
};

/** As client-go's: candidates spread their attempts, and one of them must come before the deadline. */
const retrySpread = 1.2;
/** In a Lease it is in whole seconds, and 0 is refused. */
const minLeaseDurationMs = 1_000;

/** Why these times would not do; undefined when they do. */
export function problemOfTimes({ leaseDurationMs, renewDeadlineMs, retryPeriodMs }: ElectionTimes): string | undefined {
  const given = `duration ${leaseDurationMs} ms, renew deadline ${renewDeadlineMs} ms, retry period ${retryPeriodMs} ms`;
  if (retryPeriodMs <= 0) return `the retry period must be more than 0: ${given}`;
  if (leaseDurationMs < minLeaseDurationMs) return `the lease's duration must be 1 s or more: ${given}`;
  if (leaseDurationMs <= renewDeadlineMs) return `the lease's duration must be more than the renew deadline: ${given}`;
  if (renewDeadlineMs <= retryPeriodMs * retrySpread)
    return `the renew deadline must be more than ${retrySpread} times the retry period: ${given}`;
  return undefined;
}

export interface ElectionOptions extends Partial<ElectionTimes> {
  readonly namespace: string;
  readonly name: string;
  /** Unique among the candidates, for instance the pod's name and a random part. */
  readonly identity: string;
  /** How often one that does not hold it looks whether it was given back. Default the retry period. */
  readonly lookPeriodMs?: number;
  /** What the holder tells the others with every write of the lease, its return included. */
  readonly annotations?: () => Readonly<Record<string, string>>;
  /** Told of the lease in another's or nobody's hands, after every look at it and before it is taken. */
  readonly onOther?: (seen: SeenLease) => void;
  /** Asked before a lease that another one had is taken: false leaves it to others until the next attempt. Default: always. */
  readonly mayTake?: () => boolean;
}

/** Times are those of the local monotonic clock. */
export interface SeenLease {
  /** As it was when its spec was first seen as it is now: what others write beside that is nobody's word. */
  readonly lease: KubeObject;
  /** Its spec was written after this: it was another one then. -Infinity when nobody looked. */
  readonly changedAfterMs: number;
  /** And before this. */
  readonly changedBeforeMs: number;
  /** Until when its holder may be alive; -Infinity when nobody holds it. */
  readonly heldUntilMs: number;
}

export interface ElectionDeps {
  /** Best one of its own: renewals must not wait behind other requests. */
  readonly client: Pick<KubeClient, "get" | "create" | "replace">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface Election extends AsyncDisposable {
  /** Resolves when the lease is ours; rejects when the election was disposed before that. */
  readonly acquired: Promise<void>;
  /** Resolves with the reason when the lease was ours and is no more, except by dispose. The election ends then. */
  readonly lost: Promise<Error>;
  /**
   * The fence: false when the last renewal is older than the renew deadline, even when the event loop was blocked and
   * nobody has been told of a loss yet. To be asked before every write.
   */
  mayWrite(): boolean;
}

/**
 * Takes part in the election of one of several processes by a Lease.
 * The clocks of the candidates are never compared: a holder is alive as long as its lease keeps changing, measured on
 * the local monotonic clock. Dispose stops and gives the lease back, so that the next one need not wait.
 * https://kubernetes.io/docs/concepts/architecture/leases/#leader-election
 */
export function startElection(options: ElectionOptions, deps: ElectionDeps): Election {
  const candidate = new Candidate(options, deps);
  const ended = candidate.run();
  return {
    acquired: candidate.acquired.promise,
    lost: candidate.lost.promise,
    mayWrite: () => candidate.mayWrite(),
    async [Symbol.asyncDispose]() {
      candidate.stop();
      await ended;
      await candidate.release();
    },
  };
}

class Candidate {
  readonly acquired = Promise.withResolvers<void>();
  readonly lost = Promise.withResolvers<Error>();

  readonly #options: Required<Omit<ElectionOptions, "annotations" | "onOther" | "mayTake" | "lookPeriodMs">> &
    ElectionOptions;
  readonly #deps: ElectionDeps;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  #observed: (ObservedLease & { readonly asFirstSeen: KubeObject }) | undefined;
  /** When the request of the last look was sent. */
  #lookedMs = Number.NEGATIVE_INFINITY;
  #changedAfterMs = Number.NEGATIVE_INFINITY;
  /** Whether the lease must be read before it is written. */
  #isStale = false;
  /** When the request of the last renewal was sent; undefined when the lease is not ours. */
  #renewedMs: number | undefined;

  constructor(options: ElectionOptions, deps: ElectionDeps) {
    this.#options = { ...defaultElectionTimes, ...options };
    const problem = problemOfTimes(this.#options);
    if (problem !== undefined) throw new RangeError(`Cannot take part in an election: ${problem}`);
    this.#deps = deps;
    this.#log = deps.log.with({ lease: `${options.namespace}/${options.name}`, identity: options.identity });
    // Whoever does not wait for it must not be ended by its rejection.
    this.acquired.promise.catch(() => {});
  }

  mayWrite(): boolean {
    return this.#leftMs() >= 0;
  }

  /** From now on nothing may be written. */
  stop(): void {
    this.#stopping.abort(new Error("The election was stopped"));
    this.#renewedMs = undefined;
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      await this.#attempt();
      if (signal.aborted) {
        this.acquired.reject(signal.reason as Error);
        return;
      }
      if (this.mayWrite()) break;
      // Spread, so that candidates that began together do not collide at every attempt.
      const { retryPeriodMs, lookPeriodMs = retryPeriodMs } = this.#options;
      await this.#sleep((lookPeriodMs * (1 + this.#deps.random())) / 2);
    }
    this.#log.info("Became leader");
    this.acquired.resolve();
    while (this.mayWrite()) {
      await this.#sleep(Math.min(this.#options.retryPeriodMs, this.#leftMs() + 1));
      // After a blocked event loop it may be too late: then the lease is not asked for again, but lost.
      if (this.mayWrite()) await this.#attempt();
    }
    if (!signal.aborted) this.#tellLoss();
  }

  /** Gives the lease back; a failure only makes the others wait for its end. */
  async release(): Promise<void> {
    const { client, clock } = this.#deps;
    const { namespace, name, identity } = this.#options;
    const late = new AbortController();
    const cancel = clock.after(releaseDeadlineMs, () => {
      late.abort(new Error(`No answer within ${releaseDeadlineMs} ms`));
    });
    try {
      // Read first: a renewal that the stop broke off may have reached the server.
      const lease = await client.get(leases, { namespace, name }, late.signal);
      if (lease === undefined || specOf(lease).holderIdentity !== identity) return;
      await client.replace(leases, this.#annotated(releasedBody(lease, clock.now())), late.signal);
      this.#log.info("Gave the lease back");
    } catch (error) {
      this.#log.warn("Cannot give the lease back", { error });
    } finally {
      cancel();
    }
  }

  #tellLoss(): void {
    const holder = this.#observed === undefined ? undefined : specOf(this.#observed.lease).holderIdentity;
    const reason =
      holder === undefined || holder === this.#options.identity
        ? `no renewal for more than ${this.#options.renewDeadlineMs} ms`
        : `"${holder}" holds it`;
    const error = new Error(`Lost the lease "${this.#options.namespace}/${this.#options.name}": ${reason}`);
    this.#log.error("Lost the lease", { error });
    this.lost.resolve(error);
  }

  /** Takes or renews the lease, when it can be had. */
  async #attempt(): Promise<void> {
    const sentMs = this.#deps.clock.monotonic();
    // A renewal that comes later than the deadline would be of no use.
    const deadline = this.#inTime(this.#renewedMs === undefined ? this.#options.renewDeadlineMs : this.#leftMs());
    try {
      const lease = await this.#takeOrRenew(deadline.signal);
      if (lease === undefined || this.#stopping.signal.aborted) return;
      this.#observe(lease);
      this.#renewedMs = sentMs;
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      // It may have changed, by us or by others: the next attempt reads it anew.
      this.#isStale = true;
      if (isConflict(error) || isAlreadyExists(error)) this.#log.debug("The lease changed meanwhile", { error });
      else this.#log.warn("Cannot take or renew the lease", { error });
    } finally {
      deadline.cancel();
    }
  }

  /** The lease as it is when ours; undefined when another one holds it. */
  async #takeOrRenew(signal: AbortSignal): Promise<KubeObject | undefined> {
    const { client, clock } = this.#deps;
    const { namespace, name, identity, leaseDurationMs } = this.#options;
    const own = this.#renewedMs === undefined || this.#isStale ? undefined : this.#observed?.lease;
    const sentMs = clock.monotonic();
    const current = own ?? (await client.get(leases, { namespace, name }, signal));
    const wanted = { namespace, name, identity, durationMs: leaseDurationMs, nowMs: clock.now() };
    if (current === undefined) {
      // Somebody deleted it under its holder, who may still rely on it.
      if (this.#isHeldByOther()) return undefined;
      return await client.create(leases, this.#annotated(leaseBody(undefined, wanted)), signal);
    }
    const isNew = this.#observe(current);
    if (own === undefined) {
      if (isNew) this.#changedAfterMs = this.#lookedMs;
      this.#lookedMs = sentMs;
      if (this.#renewedMs === undefined) this.#tellOther();
    }
    if (this.#isHeldByOther()) {
      this.#renewedMs = undefined;
      return undefined;
    }
    const isTaking = specOf(current).holderIdentity !== identity;
    if (isTaking && this.#options.mayTake?.() === false) return undefined;
    return await client.replace(leases, this.#annotated(leaseBody(current, wanted)), signal);
  }

  #isHeldByOther(): boolean {
    return this.#deps.clock.monotonic() < this.#heldUntilMs();
  }

  #heldUntilMs(): number {
    const { identity, leaseDurationMs } = this.#options;
    if (this.#observed === undefined) return Number.NEGATIVE_INFINITY;
    return heldByOtherUntilMs(this.#observed, identity, leaseDurationMs);
  }

  #tellOther(): void {
    if (this.#observed === undefined) return;
    const { asFirstSeen: lease, sinceMs: changedBeforeMs } = this.#observed;
    const heldUntilMs = this.#heldUntilMs();
    this.#options.onOther?.({ lease, changedAfterMs: this.#changedAfterMs, changedBeforeMs, heldUntilMs });
  }

  #annotated(lease: KubeObject): KubeObject {
    const { annotations } = this.#options;
    if (annotations === undefined) return lease;
    return {
      ...lease,
      metadata: { ...lease.metadata, annotations: { ...lease.metadata.annotations, ...annotations() } },
    };
  }

  /**
   * Starts the count anew only when the lease's spec was written since it was last seen, and returns whether it was: a
   * label that somebody puts on it is no sign of life.
   */
  #observe(lease: KubeObject): boolean {
    const known = this.#observed;
    const isNew = known === undefined || !isDeepStrictEqual(specOf(known.lease), specOf(lease));
    this.#observed = isNew ? { lease, asFirstSeen: lease, sinceMs: this.#deps.clock.monotonic() } : { ...known, lease };
    this.#isStale = false;
    return isNew;
  }

  /** Until the renew deadline; negative beyond it. */
  #leftMs(): number {
    const renewedMs = this.#renewedMs ?? Number.NEGATIVE_INFINITY;
    return renewedMs + this.#options.renewDeadlineMs - this.#deps.clock.monotonic();
  }

  async #sleep(ms: number): Promise<void> {
    try {
      await delay(this.#deps.clock, ms, this.#stopping.signal);
    } catch {
      // Stopped while waiting: the loop's condition ends it.
    }
  }

  #inTime(ms: number): { readonly signal: AbortSignal; readonly cancel: () => void } {
    const late = new AbortController();
    const cancel = this.#deps.clock.after(ms, () => late.abort(new Error(`No answer within ${ms} ms`)));
    return { signal: AbortSignal.any([this.#stopping.signal, late.signal]), cancel };
  }
}
