import { createHistogram } from "node:perf_hooks";
import type { FeedName } from "../agents/contract.ts";
import { findMark, nowMicros } from "../agents/mark.ts";
import type { SequenceCounts } from "./sequence.ts";
import { Sequence } from "./sequence.ts";

export interface SequenceReport extends SequenceCounts {
  readonly agent: string;
  readonly epoch: string;
  readonly feed: FeedName;
}

export interface TallyReport {
  /** With a mark, duplicates included. */
  readonly events: number;
  readonly bytes: number;
  readonly byFeed: Readonly<Record<FeedName, number>>;
  /** Without a mark, not decodable, or in the wrong stream. */
  readonly garbage: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly reordered: number;
  /** Different names. */
  readonly agents: number;
  /** From the moment it was produced to the moment it was counted. */
  readonly latencyUs: Readonly<Record<"p50" | "p90" | "p99" | "p999" | "max", number>>;
  readonly sequences: readonly SequenceReport[];
}

interface Entry {
  readonly agent: string;
  readonly epoch: string;
  readonly feed: FeedName;
  readonly sequence: Sequence;
}

/** Keeps account of events by agent, epoch and feed. */
export class Tally {
  readonly #entries = new Map<string, Entry>();
  readonly #latency = createHistogram();
  readonly #byFeed = { alerts: 0, logs: 0, messages: 0 };
  #events = 0;
  #bytes = 0;
  #garbage = 0;

  get events(): number {
    return this.#events;
  }

  get garbage(): number {
    return this.#garbage;
  }

  /** An event as bytes or as a JSON line. `feed`: where it came from, undefined when that is unknown. */
  add(event: Buffer | string, feed: FeedName | undefined): void {
    this.#bytes += event.length;
    const mark = findMark(event);
    if (mark === undefined || (feed !== undefined && mark.feed !== feed)) {
      this.#garbage += 1;
      return;
    }
    this.#events += 1;
    this.#byFeed[mark.feed] += 1;
    this.#latency.record(Math.max(1, nowMicros() - mark.producedUs));
    const key = `${mark.agent}/${mark.epoch}/${mark.feed}`;
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      entry.sequence.add(mark.number);
      return;
    }
    const { agent, epoch } = mark;
    this.#entries.set(key, { agent, epoch, feed: mark.feed, sequence: new Sequence(mark.number) });
  }

  addGarbage(): void {
    this.#garbage += 1;
  }

  report(): TallyReport {
    const sequences = [...this.#entries.values()].map(({ agent, epoch, feed, sequence }) =>
      Object.assign({ agent, epoch, feed }, sequence.counts()),
    );
    const sum = (key: "lost" | "duplicates" | "reordered") =>
      sequences.reduce((total, counts) => total + counts[key], 0);
    const percentile = (percent: number) => (this.#events === 0 ? 0 : this.#latency.percentile(percent));
    return {
      events: this.#events,
      bytes: this.#bytes,
      byFeed: { ...this.#byFeed },
      garbage: this.#garbage,
      lost: sum("lost"),
      duplicates: sum("duplicates"),
      reordered: sum("reordered"),
      agents: new Set(sequences.map(({ agent }) => agent)).size,
      latencyUs: {
        p50: percentile(50),
        p90: percentile(90),
        p99: percentile(99),
        p999: percentile(99.9),
        max: percentile(100),
      },
      sequences,
    };
  }
}
