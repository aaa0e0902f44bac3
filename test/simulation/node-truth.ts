import type { FeedId } from "../../relay/feeds.ts";
import type { StreamEnd } from "../../relay/nodes/grpc-call.ts";

/** What a node, or all of them, must have counted of a feed. */
export class NodeTruth {
  events = 0;
  openings = 0;
  breaks = 0;
  readonly ends = new Map<string, number>();

  /** A stream ended, and it was not the relay that hung up. */
  ended(end: StreamEnd, isOpen: boolean): void {
    const reason = end.kind === "framing" ? end.fault : end.kind;
    this.ends.set(reason, (this.ends.get(reason) ?? 0) + 1);
    if (isOpen && end.kind !== "refused") this.breaks += 1;
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
