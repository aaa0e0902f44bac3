import type { Clock } from "../../lib/process/clock.ts";
import type { Log } from "../../lib/process/log.ts";
import type { FeedId } from "../feeds.ts";
import { Pacer } from "../hub/pacer.ts";

export interface LossReportOptions {
  /** Names the sink in the lines. */
  readonly sink: string;
}

const minIntervalMs = 1000;

/** Says what a sink lost, summed up, at most once a second: a line per event would only add to the flood. */
export class LossReport {
  readonly #sink: string;
  readonly #log: Log;
  readonly #pacer: Pacer;
  #events = new Map<string, number>();

  constructor(options: LossReportOptions, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#sink = options.sink;
    this.#log = deps.log;
    this.#pacer = new Pacer({ minIntervalMs }, deps.clock, () => this.flush());
  }

  add(feed: FeedId, reason: string, events: number): void {
    if (events === 0) return;
    const key = `${feed}.${reason}`;
    this.#events.set(key, (this.#events.get(key) ?? 0) + events);
    this.#pacer.request();
  }

  /** Says at once what has not been said. */
  flush(): void {
    if (this.#events.size === 0) return;
    const events = Object.fromEntries(this.#events);
    this.#events = new Map();
    this.#log.warn("Sink lost events", { sink: this.#sink, events });
  }
}
