import type { FeedId } from "../../relay/feeds.ts";
import type { StreamEnd } from "../../relay/nodes/grpc-call.ts";

/** What a node, or all of them, must have counted of a feed. */
export class NodeTruth {
  events = 0;
  openings = 0;
  breaks = 0;
  /** Of the gaps that ended. */
  #endedGapsMs = 0;
  #gapSinceMs: number | undefined;
  #openedMs = 0;
  /** When the gap began that the last opening ended. */
  #previousGapSinceMs: number | undefined;
  readonly ends = new Map<string, number>();

  gapsMs(nowMs: number): number {
    return this.#endedGapsMs + (this.#gapSinceMs === undefined ? 0 : nowMs - this.#gapSinceMs);
  }

  opened(nowMs: number): void {
    this.openings += 1;
    this.#previousGapSinceMs = this.#gapSinceMs;
    this.#openedMs = nowMs;
    if (this.#gapSinceMs !== undefined) this.#endedGapsMs += nowMs - this.#gapSinceMs;
    this.#gapSinceMs = undefined;
  }

  /** A stream ended, and it was not the relay that hung up. */
  ended(end: StreamEnd, isOpen: boolean, nowMs: number): void {
    const reason = end.kind === "framing" ? end.fault : end.kind;
    this.ends.set(reason, (this.ends.get(reason) ?? 0) + 1);
    if (!isOpen) return;
    if (end.kind === "refused") this.#unopen();
    else {
      this.breaks += 1;
      this.#gapSinceMs = nowMs;
    }
  }

  /** It was never served: the gap before has not ended. */
  #unopen(): void {
    this.#gapSinceMs = this.#previousGapSinceMs;
    if (this.#gapSinceMs !== undefined) this.#endedGapsMs -= this.#openedMs - this.#gapSinceMs;
  }
}

/** By what is counted for. */
export class NodeTruths {
  readonly #truths = new Map<FeedId, NodeTruth>();

  of(feed: FeedId): NodeTruth {
    const truth = this.#truths.get(feed) ?? new NodeTruth();
    this.#truths.set(feed, truth);
    return truth;
  }
}
