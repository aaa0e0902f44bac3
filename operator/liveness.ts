import type { ListWatch } from "../lib/kube/list-watch.ts";
import { resourceName } from "../lib/kube/paths.ts";
import type { ListWatchOptions } from "../lib/kube/types.ts";
import type { Clock } from "../lib/process/clock.ts";
import type { Reconcile } from "./engine/outcome.ts";

/** What a restart of the process would cure, as far as it can tell. */
export interface Vitals {
  readonly nowMs: number;
  /** How late each of the last timers was, the newest last. */
  readonly lagsMs: readonly number[];
  readonly watches: readonly WatchVitals[];
  /** Reconciles that run. */
  readonly passes: readonly { readonly key: string; readonly sinceMs: number }[];
}

interface WatchVitals {
  readonly resource: string;
  /** When anything of it was last heard of: a change, its end, or that it began to fail. */
  readonly heardMs: number;
  /** A watch that fails tries again for ever, and a restart would do no more than that. */
  readonly isFailing: boolean;
  /** The longest it may be silent for, as the server then ends it. */
  readonly lifetimeMs: number;
}

export interface LivenessLimits {
  readonly reconcileTimeoutMs: number;
}

const tickMs = 1_000;
/** One late timer says nothing: the machine may have been frozen. All of these late: the process cannot keep up. */
const ticks = 10;
const maxLagMs = 2_000;
/** Beyond the longest life of a watch. */
const watchMarginMs = 180_000;
/** An aborted reconcile ends at once, unless it waits for what nobody can abort. */
const passMarginMs = 60_000;

/** Why the process should be restarted, a sentence each: empty = it is well. */
export function livenessProblems(vitals: Vitals, { reconcileTimeoutMs }: LivenessLimits): readonly string[] {
  const { nowMs, lagsMs, watches, passes } = vitals;
  const leastLagMs = Math.min(...lagsMs);
  const lagging =
    lagsMs.length >= ticks && leastLagMs > maxLagMs
      ? [`The event loop was ${Math.round(leastLagMs)} ms late or more for the last ${ticks} times`]
      : [];
  const deaf = watches
    .filter(({ isFailing, heardMs, lifetimeMs }) => !isFailing && nowMs - heardMs > lifetimeMs + watchMarginMs)
    .map(({ resource, heardMs }) => `The watch of ${resource} was not heard of for ${seconds(nowMs - heardMs)}`);
  const stuck = passes
    .filter(({ sinceMs }) => nowMs - sinceMs > reconcileTimeoutMs + passMarginMs)
    .map(({ key, sinceMs }) => `The reconcile of ${key} has not ended for ${seconds(nowMs - sinceMs)}`);
  return [...lagging, ...deaf, ...stuck];
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

/** What `watchSeconds` and the client's own deadline come to when nobody chooses them. */
const defaultSeconds = { min: 60, spread: 60 } as const;

/** Takes the process's vitals: of its event loop, of the watches that it starts, of the reconciles that go through it. */
export class Liveness implements Disposable {
  readonly #clock: Clock;
  readonly #limits: LivenessLimits;
  readonly #lagsMs: number[] = [];
  readonly #watches = new Set<WatchVitals>();
  readonly #passes = new Set<{ readonly key: string; readonly sinceMs: number }>();
  /** By kind: when an object of it last changed. */
  readonly #eventsMs = new Map<string, number>();
  #cancel: () => void = () => {};

  constructor(limits: LivenessLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#tick();
  }

  /** A list-watch that is listened to until it is disposed of. */
  watch(options: ListWatchOptions, start: (options: ListWatchOptions) => ListWatch): ListWatch {
    const { min, spread } = options.watchSeconds ?? defaultSeconds;
    const lifetimeMs = (min + spread) * 1000;
    const { kind } = options.resource;
    const now = () => this.#clock.monotonic();
    const vitals = { resource: resourceName(options.resource), heardMs: now(), isFailing: true, lifetimeMs };
    this.#watches.add(vitals);
    const listWatch = start({
      ...options,
      onChange: (change) => {
        vitals.heardMs = now();
        this.#eventsMs.set(kind, now());
        options.onChange(change);
      },
      onState: (state) => {
        vitals.heardMs = now();
        vitals.isFailing = state.kind !== "synced";
        options.onState?.(state);
      },
      onRestart: (reason) => {
        vitals.heardMs = now();
        options.onRestart?.(reason);
      },
    });
    return {
      synced: listWatch.synced,
      get state() {
        return listWatch.state;
      },
      [Symbol.asyncDispose]: async () => {
        this.#watches.delete(vitals);
        await listWatch[Symbol.asyncDispose]();
      },
    };
  }

  /** The same reconcile, watched over. */
  around(reconcile: Reconcile): Reconcile {
    return async (key, signal) => {
      const pass = { key, sinceMs: this.#clock.monotonic() };
      this.#passes.add(pass);
      try {
        return await reconcile(key, signal);
      } finally {
        this.#passes.delete(pass);
      }
    };
  }

  problems(): readonly string[] {
    const nowMs = this.#clock.monotonic();
    const vitals = { nowMs, lagsMs: this.#lagsMs, watches: [...this.#watches], passes: [...this.#passes] };
    return livenessProblems(vitals, this.#limits);
  }

  /** How long ago an object of each kind last changed, or was listed; in milliseconds. */
  eventAgesMs(): ReadonlyMap<string, number> {
    const nowMs = this.#clock.monotonic();
    return new Map([...this.#eventsMs].map(([kind, atMs]) => [kind, nowMs - atMs]));
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }

  #tick(): void {
    const dueMs = this.#clock.monotonic() + tickMs;
    this.#cancel = this.#clock.after(tickMs, () => {
      this.#lagsMs.push(this.#clock.monotonic() - dueMs);
      if (this.#lagsMs.length > ticks) this.#lagsMs.shift();
      this.#tick();
    });
  }
}
