/**
 * Why an event did not reach a consumer: its own mailbox was full; the relay's budget was; it went away; the relay did.
 */
export const dropReasons = ["mailbox", "budget", "disconnected", "shutdown"] as const;
export type DropReason = (typeof dropReasons)[number];

/** What became of the events that one consumer was offered. */
export interface ConsumerCounts {
  readonly offered: number;
  /** Handed to the operating system. */
  readonly delivered: number;
  /** Not wanted by this consumer. */
  readonly filtered: number;
  /** No protobuf message, where that matters. */
  readonly unreadable: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** In the mailbox or being written. */
  readonly queued: number;
}

/** The same with what the hub says that the consumer must have been offered, counted apart from `offered`. */
export interface ConsumerLedger extends ConsumerCounts {
  /** Handed over by the hub to the feed's consumers while this one was among them. */
  readonly expected: number;
}

/** What a feed has seen since the start, in events. */
export interface FeedTotals {
  readonly received: number;
  /** Received while nobody wanted the feed. */
  readonly unclaimed: number;
  /** Being gathered: not handed over yet. */
  readonly gathered: number;
  /** Handed over to consumers, counted once however many there were. */
  readonly handed: number;
}

/** Events that a consumer should have got and that no counter knows of: 0 at any instant, or the relay is wrong. */
export function unaccounted(ledger: ConsumerLedger): number {
  const { expected, delivered, filtered, unreadable, dropped, queued } = ledger;
  return expected - delivered - filtered - unreadable - sumOf(dropped) - queued;
}

/** Events of a feed that came in and that no counter of the hub knows of. */
export function unaccountedInHub({ received, unclaimed, gathered, handed }: FeedTotals): number {
  return received - unclaimed - gathered - handed;
}

export function noDrops(): Record<DropReason, number> {
  return { mailbox: 0, budget: 0, disconnected: 0, shutdown: 0 };
}

export const emptyLedger: ConsumerLedger = {
  expected: 0,
  offered: 0,
  delivered: 0,
  filtered: 0,
  unreadable: 0,
  dropped: noDrops(),
  queued: 0,
};

export function addLedgers(a: ConsumerLedger, b: ConsumerLedger): ConsumerLedger {
  const dropped = noDrops();
  for (const reason of dropReasons) dropped[reason] = a.dropped[reason] + b.dropped[reason];
  return {
    expected: a.expected + b.expected,
    offered: a.offered + b.offered,
    delivered: a.delivered + b.delivered,
    filtered: a.filtered + b.filtered,
    unreadable: a.unreadable + b.unreadable,
    dropped,
    queued: a.queued + b.queued,
  };
}

export function sumOf(dropped: Readonly<Record<DropReason, number>>): number {
  return dropReasons.reduce((sum, reason) => sum + dropped[reason], 0);
}
