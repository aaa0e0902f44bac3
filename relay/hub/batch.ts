import type { FeedId } from "../feeds.ts";

/** A run of events of one feed, as bytes that every consumer shares and none may change. */
export interface Batch {
  readonly feed: FeedId;
  /** Whole gRPC frames, one an event: compression flag (0), length (4 bytes, big endian), protobuf message. */
  readonly bytes: Buffer;
  readonly events: number;
}

/** Whoever wants the batches of a feed: a subscriber's mailbox, a sink's. Never blocks, never throws. */
export interface Consumer {
  offer(batch: Batch): void;
}
