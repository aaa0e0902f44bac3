import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConsumerLedger, FeedTotals } from "../hub/counts.ts";
import { type FeedBook, type Hop, unaccountedByHop } from "./unaccounted.ts";

const ledger: ConsumerLedger = {
  expected: 28,
  offered: 28,
  delivered: 1,
  filtered: 2,
  unreadable: 3,
  dropped: { mailbox: 4, budget: 5, disconnected: 6, shutdown: 7 },
  queued: 0,
};
const whole: FeedBook = {
  nodes: 100,
  hub: { received: 100, unclaimed: 10, gathered: 20, handed: 70 },
  subscribers: ledger,
  stdout: ledger,
};
const none = { nodes: 0, hub: 0, subscribers: 0, stdout: 0 };

test("unaccountedByHop() is 0 when the books agree", () => {
  assert.deepEqual(unaccountedByHop(whole), none);
});

const drop = (change: Partial<ConsumerLedger["dropped"]>) => ({ dropped: { ...ledger.dropped, ...change } });
const hub = (change: Partial<FeedTotals>): Partial<FeedBook> => ({ hub: { ...whole.hub, ...change } });
const both = (change: Partial<ConsumerLedger>): Partial<FeedBook> => ({
  subscribers: { ...ledger, ...change },
  stdout: { ...ledger, ...change },
});

/** Each count is wrong by one, and somebody notices. */
const faults: Record<string, { book: Partial<FeedBook>; off: Partial<Record<Hop, number>> }> = {
  "a node's event did not reach the hub": { book: { nodes: 101 }, off: { nodes: 1 } },
  "the hub has an event of no node": { book: { nodes: 99 }, off: { nodes: -1 } },
  "one was received": { book: hub({ received: 101 }), off: { nodes: -1, hub: 1 } },
  "one was unclaimed": { book: hub({ unclaimed: 11 }), off: { hub: -1 } },
  "one was gathered": { book: hub({ gathered: 21 }), off: { hub: -1 } },
  "one was handed": { book: hub({ handed: 71 }), off: { hub: -1 } },
  "one was expected": { book: both({ expected: 29 }), off: { subscribers: 1, stdout: 1 } },
  "one was delivered": { book: both({ delivered: 2 }), off: { subscribers: -1, stdout: -1 } },
  "one was filtered": { book: both({ filtered: 3 }), off: { subscribers: -1, stdout: -1 } },
  "one was unreadable": { book: both({ unreadable: 4 }), off: { subscribers: -1, stdout: -1 } },
  "one was too much for a mailbox": { book: both(drop({ mailbox: 5 })), off: { subscribers: -1, stdout: -1 } },
  "one was too much for the budget": { book: both(drop({ budget: 6 })), off: { subscribers: -1, stdout: -1 } },
  "one's client was gone": { book: both(drop({ disconnected: 7 })), off: { subscribers: -1, stdout: -1 } },
  "one came to the end": { book: both(drop({ shutdown: 8 })), off: { subscribers: -1, stdout: -1 } },
  "one is queued": { book: both({ queued: 1 }), off: { subscribers: -1, stdout: -1 } },
};
for (const [sentence, { book, off }] of Object.entries(faults)) {
  test(`unaccountedByHop() shows where: ${sentence} too many`, () => {
    assert.deepEqual(unaccountedByHop({ ...whole, ...book }), { ...none, ...off });
  });
}
