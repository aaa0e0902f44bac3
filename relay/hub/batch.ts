import type { FeedId } from "../feeds.ts";
import type { Page } from "./page.ts";

/**
 * A run of events of one feed, as bytes that every consumer shares and none may change. They are the consumer's to read
 * during the call of `offer`; to keep them it has to hold the page, or to copy them.
 */
export interface Batch {
  readonly feed: FeedId;
  readonly page: Page;
  /** A stretch of the page: whole gRPC frames, one an event: compression flag (0), length (4 bytes, big endian), protobuf message. */
  readonly bytes: Buffer;
  readonly events: number;
  /** When the first of them came, on the monotonic clock. */
  readonly atMs: number;
}

/** Whoever wants the batches of a feed: a subscriber's mailbox, a sink's. Never blocks, never throws. */
export interface Consumer {
  offer(batch: Batch): void;
}
