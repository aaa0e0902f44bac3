import type { Clock, Random } from "../process/clock.ts";
import type { Log } from "../process/log.ts";
import { type Rate, TokenBucket } from "../process/token-bucket.ts";
import { isNamespaceTerminating, isNotFound } from "./errors.ts";
import { eventBody, eventKey, objectKey } from "./event-body.ts";
import type { EventFacts, Reporter } from "./event-body.ts";
import { microTime } from "./micro-time.ts";
import { events } from "./resources.ts";
import type { KubeClient, ObjectName } from "./types.ts";

export { referenceTo } from "./event-body.ts";
export type { EventFacts, ObjectReference, Reporter } from "./event-body.ts";

/** What became of a recorded event: a metric label. */
export type EventOutcome = "created" | "updated" | "dropped" | "failed";

export interface EventRecorder extends AsyncDisposable {
  /** Returns at once and never throws: an event is news about the work, not a part of it. */
  record(facts: EventFacts): void;
}

export interface EventRecorderDeps {
  readonly client: Pick<KubeClient, "create" | "mergePatch">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly onOutcome?: (outcome: EventOutcome) => void;
}

/** As client-go: what repeats within six minutes is a series. */
const seriesWindowMs = 6 * 60_000;
/** Writes about one object, as client-go: 25 at once, then one every five minutes. */
const perObject: Rate = { burst: 25, perSecond: 1 / 300 };
/** Repetitions are collected this long before they are written; doubled at every write of a series. */
const firstFlushMs = 1_000;
const maxFlushMs = 60_000;
/** Beyond it new kinds of events are dropped and counted: somebody made the key of an event unbounded. */
const maxSeries = 4_096;
const disposeDeadlineMs = 2_000;

interface Series {
  readonly facts: EventFacts;
  /** The event in the API; undefined until it is created. */
  readonly name: Promise<ObjectName | undefined>;
  count: number;
  writtenCount: number;
  lastMs: number;
  lastObserved: string;
  flushMs: number;
  cancelTimer: () => void;
}

/**
 * Records Events of events.k8s.io/v1. A repetition is not a new Event but raises `series.count` of the first one, in
 * few writes. Dispose writes the last counts.
 */
export function createEventRecorder(reporter: Reporter, deps: EventRecorderDeps): EventRecorder {
  return new Recorder(reporter, deps);
}

class Recorder implements EventRecorder {
  readonly #reporter: Reporter;
  readonly #deps: EventRecorderDeps;
  readonly #series = new Map<string, Series>();
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #isClosed = false;

  constructor(reporter: Reporter, deps: EventRecorderDeps) {
    this.#reporter = reporter;
    this.#deps = deps;
  }

  record(facts: EventFacts): void {
    const key = eventKey(facts);
    const nowMs = this.#deps.clock.monotonic();
    const known = this.#series.get(key);
    if (known !== undefined && nowMs - known.lastMs < seriesWindowMs) {
      known.count += 1;
      known.lastMs = nowMs;
      known.lastObserved = microTime(this.#deps.clock.now());
      return;
    }
    if (known !== undefined) this.#forget(key, known);
    if (this.#isClosed || this.#series.size >= maxSeries || !this.#bucket(facts).take()) {
      this.#outcome("dropped");
      return;
    }
    this.#begin(key, facts, nowMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const cancel = this.#deps.clock.after(disposeDeadlineMs, () => {
      this.#stopping.abort(new Error(`Events were not written within ${disposeDeadlineMs} ms`));
    });
    for (const series of this.#series.values()) {
      series.cancelTimer();
      this.#track(this.#write(series));
    }
    await Promise.all(this.#running);
    this.#series.clear();
    cancel();
  }

  #begin(key: string, facts: EventFacts, nowMs: number): void {
    const observed = microTime(this.#deps.clock.now());
    const series: Series = {
      facts,
      name: this.#create(facts),
      count: 1,
      writtenCount: 1,
      lastMs: nowMs,
      lastObserved: observed,
      flushMs: firstFlushMs,
      cancelTimer: () => {},
    };
    this.#series.set(key, series);
    // Without an Event there is nothing to count on: the next occurrence tries again.
    this.#track(
      series.name.then((name) => {
        if (name === undefined) this.#forget(key, series);
      }),
    );
    this.#plan(key, series);
  }

  /** Looks after a series until it is over: writes what came in, then waits twice as long. */
  #plan(key: string, series: Series): void {
    series.cancelTimer = this.#deps.clock.after(series.flushMs, () => {
      const nowMs = this.#deps.clock.monotonic();
      const isOver = nowMs - series.lastMs >= seriesWindowMs;
      const isDue = series.count > series.writtenCount && this.#bucket(series.facts).take();
      if (isDue) this.#track(this.#write(series));
      // A count that the bucket holds back is kept until it may be written.
      if (isOver && series.count === series.writtenCount) {
        this.#forget(key, series);
        return;
      }
      series.flushMs = Math.min(series.flushMs * 2, maxFlushMs);
      this.#plan(key, series);
    });
  }

  async #create(facts: EventFacts): Promise<ObjectName | undefined> {
    const { client, clock, random } = this.#deps;
    try {
      // Time and chance: two replicas may tell of one thing at one moment.
      const unique = `${clock.now().toString(16)}${Math.floor(random() * 0xffff_ffff).toString(16)}`;
      const body = eventBody(facts, this.#reporter, clock.now(), unique);
      const { metadata } = await client.create(events, body, this.#stopping.signal);
      this.#outcome("created");
      return { namespace: metadata.namespace ?? "default", name: metadata.name };
    } catch (error) {
      this.#failed(facts, error);
      return undefined;
    }
  }

  async #write(series: Series): Promise<void> {
    const name = await series.name;
    const { count, writtenCount, lastObserved } = series;
    if (name === undefined || count === writtenCount) return;
    series.writtenCount = count;
    try {
      const patch = { series: { count, lastObservedTime: lastObserved } };
      await this.#deps.client.mergePatch(events, name, patch, this.#stopping.signal);
      this.#outcome("updated");
    } catch (error) {
      // The server keeps events for an hour only: what goes on after that is a new one.
      if (isNotFound(error)) this.#forget(eventKey(series.facts), series);
      else series.writtenCount = Math.min(series.writtenCount, writtenCount);
      this.#failed(series.facts, error);
    }
  }

  #forget(key: string, series: Series): void {
    series.cancelTimer();
    if (this.#series.get(key) === series) this.#series.delete(key);
  }

  #bucket(facts: EventFacts): TokenBucket {
    const key = objectKey(facts.regarding);
    const known = this.#buckets.get(key);
    if (known !== undefined) return known;
    // Objects come and go; a full bucket says nothing that a new one would not.
    if (this.#buckets.size >= maxSeries) {
      for (const [other, bucket] of this.#buckets) if (bucket.isFull) this.#buckets.delete(other);
    }
    const bucket = new TokenBucket(perObject, this.#deps.clock);
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #failed(facts: EventFacts, error: unknown): void {
    this.#outcome("failed");
    const { reason, action } = facts;
    const fields = { reason, action, regarding: objectKey(facts.regarding), error };
    if (isNamespaceTerminating(error)) this.#deps.log.debug("Cannot record an event", fields);
    else this.#deps.log.warn("Cannot record an event", fields);
  }

  #outcome(outcome: EventOutcome): void {
    this.#deps.onOutcome?.(outcome);
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }
}
