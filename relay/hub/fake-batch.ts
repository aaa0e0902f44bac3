import type { FeedId } from "../feeds.ts";
import type { Batch } from "./batch.ts";
import { Page, type PageOwner } from "./page.ts";

/** A batch for tests and benches: alone on a page that no budget counts. */
export function fakeBatch(feed: FeedId, bytes: Buffer, events: number, atMs = 0): Batch {
  return { feed, page: new Page(bytes, nobody), bytes, events, atMs };
}

const nobody: PageOwner = { onPinned() {}, onUnpinned() {}, onUnused() {} };
