import type { Clock } from "../../lib/process/clock.ts";

export interface QueueOptions {
  /** Wait before the first retry of a key; it doubles with every further one. */
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  /** A routine key that has waited this long goes before the changes: it is late, but never left out. */
  readonly maxRoutineWaitMs: number;
}

/** What a queue reports about itself; all callbacks are synchronous and cheap. */
export interface QueueObserver {
  added(depth: number): void;
  taken(depth: number, waitedMs: number): void;
  retried(): void;
}

/** `routine`: nobody waits for it, as for a resync and for what a list at the start tells. */
export type Priority = "change" | "routine";

/** As client-go's default, except that a key that fails for good is still looked at every five minutes. */
export const defaultQueueOptions: QueueOptions = {
  initialBackoffMs: 5,
  maxBackoffMs: 300_000,
  maxRoutineWaitMs: 10_000,
};

/**
 * Keys with work to do. A key is in the queue at most once, and never handed out again before `done(key)`: what is added
 * while it is worked on comes back after that. So any number of changes to one object costs at most two passes. Changes
 * are handed out before routine.
 */
export class WorkQueue {
  readonly #options: QueueOptions;
  readonly #clock: Clock;
  readonly #observer: QueueObserver;
  /** Ready keys in order of arrival, with the time they arrived. Invariant: a key is in one of these, or in #taken. */
  readonly #ready: Readonly<Record<Priority, Map<string, number>>> = { change: new Map(), routine: new Map() };
  /** Keys handed out, and with which priority they were added again meanwhile. */
  readonly #taken = new Map<string, Priority | undefined>();
  readonly #delayed = new Map<string, { readonly dueMs: number; readonly cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  readonly #waiting: ((key: string | undefined) => void)[] = [];
  #closed = false;

  constructor(options: QueueOptions, clock: Clock, observer: QueueObserver) {
    this.#options = options;
    this.#clock = clock;
    this.#observer = observer;
  }

  /** Keys that are ready to be taken. */
  get depth(): number {
    return this.#ready.change.size + this.#ready.routine.size;
  }

  add(key: string, priority: Priority = "change"): void {
    if (this.#closed) return;
    // The pass that comes now decides anew whether and when there is to be another.
    this.#cancelDelay(key);
    if (this.#taken.has(key)) {
      if (this.#taken.get(key) !== "change") this.#taken.set(key, priority);
      return;
    }
    if (this.#ready.change.has(key)) return;
    const waitingMs = this.#ready.routine.get(key);
    if (waitingMs !== undefined && priority === "routine") return;
    this.#ready.routine.delete(key);
    this.#ready[priority].set(key, waitingMs ?? this.#clock.monotonic());
    if (waitingMs === undefined) this.#observer.added(this.depth);
    this.#handOut();
  }

  /** Of several delays of one key the earliest counts. */
  addAfter(key: string, delayMs: number, priority: Priority = "change"): void {
    if (this.#closed) return;
    if (this.#ready.change.has(key) || this.#ready.routine.has(key) || this.#taken.get(key) !== undefined) return;
    const dueMs = this.#clock.monotonic() + delayMs;
    const earlier = this.#delayed.get(key);
    if (earlier !== undefined && earlier.dueMs <= dueMs) return;
    earlier?.cancel();
    const cancel = this.#clock.after(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key, priority);
    });
    this.#delayed.set(key, { dueMs, cancel });
  }

  /** @returns the delay chosen, in milliseconds. */
  retry(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const delayMs = backoffMs(failures, this.#options);
    this.#observer.retried();
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** The next failure of this key starts from the shortest backoff again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Waits for a key; undefined once the queue is closed. Every key taken must be given back by `done`. */
  take(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#handOut();
    });
  }

  done(key: string): void {
    const again = this.#taken.get(key);
    this.#taken.delete(key);
    if (again !== undefined) this.add(key, again);
  }

  /** Drops what is queued and delayed, and ends every `take`. */
  close(): void {
    this.#closed = true;
    for (const ready of Object.values(this.#ready)) ready.clear();
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#handOut();
  }

  #handOut(): void {
    while (this.#waiting.length > 0) {
      const next = this.#next();
      if (next === undefined && !this.#closed) return;
      const resolve = this.#waiting.shift();
      if (next !== undefined) {
        const [key, sinceMs] = next;
        for (const ready of Object.values(this.#ready)) ready.delete(key);
        this.#taken.set(key, undefined);
        this.#observer.taken(this.depth, this.#clock.monotonic() - sinceMs);
      }
      resolve?.(next?.[0]);
    }
  }

  /** The key whose turn it is, and since when it has been waiting. */
  #next(): readonly [string, number] | undefined {
    const [change] = this.#ready.change;
    const [routine] = this.#ready.routine;
    if (change === undefined || routine === undefined) return change ?? routine;
    return this.#clock.monotonic() - routine[1] >= this.#options.maxRoutineWaitMs ? routine : change;
  }

  #cancelDelay(key: string): void {
    this.#delayed.get(key)?.cancel();
    this.#delayed.delete(key);
  }
}

/** The wait after `failures` earlier failures. */
export function backoffMs(failures: number, options: QueueOptions): number {
  return Math.min(options.maxBackoffMs, options.initialBackoffMs * 2 ** Math.min(failures, 30));
}
