import type { Clock } from "../../lib/process/clock.ts";
import { type Gap, Gaps, type GapTotals } from "./gaps.ts";
import { noStreamEnds, type StreamEndCounts, type StreamEndReason, streamEndReasons } from "./stream-end.ts";

/** What one feed of one node, or of many, has brought and how its streams fared. Sums: they never go back. */
export interface NodeFeedTotals {
  readonly events: number;
  /** Framing included. */
  readonly bytes: number;
  /** Times that its stream was open. */
  readonly openings: number;
  /** Streams that were open and ended unasked: between their end and the next opening the agent's events are missing. */
  readonly breaks: number;
  /** Streams that ended unasked, open or not: `breaks` are among them. */
  readonly ends: StreamEndCounts;
  readonly gaps: GapTotals;
}

/** One feed of one node since the node was found. The hot path adds to plain numbers. */
export class FeedCounts {
  readonly #clock: Pick<Clock, "now">;
  readonly #gaps: Gaps;
  readonly #ends = noStreamEnds();
  #isOpen = false;
  #isRefused = false;
  #events = 0;
  #bytes = 0;
  #openings = 0;
  #breaks = 0;
  #lastEventMs: number | undefined;

  constructor(clock: Pick<Clock, "now" | "monotonic">) {
    this.#clock = clock;
    this.#gaps = new Gaps(clock);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether the agent said, the last time that the stream ended, that it does not serve it. Stays while it is asked again. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  get events(): number {
    return this.#events;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get gapTotals(): GapTotals {
    return this.#gaps.totals();
  }

  /** Milliseconds since 1970; undefined when there was none. */
  get lastEventMs(): number | undefined {
    return this.#lastEventMs;
  }

  /** The newest gaps, oldest first. */
  get gaps(): readonly Gap[] {
    return this.#gaps.list();
  }

  totals(): NodeFeedTotals {
    return {
      events: this.#events,
      bytes: this.#bytes,
      openings: this.#openings,
      breaks: this.#breaks,
      ends: { ...this.#ends },
      gaps: this.#gaps.totals(),
    };
  }

  received(events: number, bytes: number): void {
    this.#events += events;
    this.#bytes += bytes;
    this.#lastEventMs = this.#clock.now();
  }

  opened(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#openings += 1;
    this.#gaps.opened();
  }

  /** The stream ended, and it is not we who hung up. */
  ended(reason: StreamEndReason): void {
    this.#ends[reason] += 1;
    this.#isRefused = reason === "refused";
    if (this.#isOpen) {
      if (reason === "refused") this.#gaps.refused();
      else {
        this.#breaks += 1;
        this.#gaps.broke(reason, this.#lastEventMs);
      }
    }
    this.#isOpen = false;
  }

  /** The agent is gone, or we hang up: no break, and no gap from now on. */
  left(): void {
    this.#isOpen = false;
    this.#gaps.left();
  }
}

export const noNodeFeedTotals: NodeFeedTotals = {
  events: 0,
  bytes: 0,
  openings: 0,
  breaks: 0,
  ends: noStreamEnds(),
  gaps: { count: 0, durationMs: 0 },
};

export function addNodeFeedTotals(a: NodeFeedTotals, b: NodeFeedTotals): NodeFeedTotals {
  const ends = noStreamEnds();
  for (const reason of streamEndReasons) ends[reason] = a.ends[reason] + b.ends[reason];
  return {
    events: a.events + b.events,
    bytes: a.bytes + b.bytes,
    openings: a.openings + b.openings,
    breaks: a.breaks + b.breaks,
    ends,
    gaps: { count: a.gaps.count + b.gaps.count, durationMs: a.gaps.durationMs + b.gaps.durationMs },
  };
}
