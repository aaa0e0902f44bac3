import { type FeedId, feeds } from "../feeds.ts";
import type { Batch, Consumer } from "../hub/batch.ts";
import type { StdoutSink } from "../sinks/stdout.ts";
import { Backlog } from "./backlog.ts";
import { type FeedCounts, perFeed } from "./history.ts";

/** What is printed to. */
export type Printer = Pick<StdoutSink, "offer" | "counts">;

export interface PrintGateOptions {
  /** What a feed may keep while another replica prints, and as much again of what that one cannot print. */
  readonly maxBytes: number;
}

/** Events of each feed at a change of turns. */
export interface HandOver {
  /** Not known to be printed by the other one, and printed by this one: some of them may be there twice. */
  readonly repeated: FeedCounts;
  /** Not known to be printed by the other one, and not to be had any more. */
  readonly missing: FeedCounts;
}

type Tally = Record<FeedId, number>;

/**
 * Lets events through to be printed while it is this replica's turn, and keeps them otherwise until the one whose turn it is
 * is known to have seen to them.
 */
export class PrintGate implements Consumer {
  readonly #printer: Printer;
  readonly #backlogs: Readonly<Record<FeedId, Backlog>>;
  readonly #offered: Tally = { alerts: 0, logs: 0, messages: 0 };
  readonly #forgotten: Tally = { alerts: 0, logs: 0, messages: 0 };
  readonly #missing: Tally = { alerts: 0, logs: 0, messages: 0 };
  readonly #repeated: Tally = { alerts: 0, logs: 0, messages: 0 };
  readonly #shutdown: Tally = { alerts: 0, logs: 0, messages: 0 };
  #isOpen = false;
  #onOffer = () => {};

  constructor({ maxBytes }: PrintGateOptions, printer: Printer) {
    this.#printer = printer;
    this.#backlogs = {
      alerts: new Backlog("alerts", maxBytes),
      logs: new Backlog("logs", maxBytes),
      messages: new Backlog("messages", maxBytes),
    };
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get keptBytes(): number {
    return feeds.reduce((sum, { id }) => sum + this.#backlogs[id].queuedBytes, 0);
  }

  get offered(): FeedCounts {
    return { ...this.#offered };
  }

  /** Of all changes of turns so far. */
  get handOvers(): HandOver {
    return { repeated: { ...this.#repeated }, missing: { ...this.#missing } };
  }

  /** From now on `listener` is told of every batch, before it is counted. */
  observe(listener: () => void): void {
    this.#onOffer = listener;
  }

  offer(batch: Batch): void {
    this.#onOffer();
    this.#offered[batch.feed] += batch.events;
    if (this.#isOpen) this.#printer.offer(batch);
    else this.#backlogs[batch.feed].push(batch);
  }

  /** Events that nobody is known to have printed: they wait here or there, or had to go because printing ended. */
  unprinted(feed: FeedId): number {
    const { queued, dropped } = this.#printer.counts(feed);
    return this.#backlogs[feed].queued + this.#backlogs[feed].lost + queued + dropped.shutdown + dropped.disconnected;
  }

  /** The other one has seen to all events of a feed but the newest `events`, and those that are set aside. */
  forget(feed: FeedId, events: number): void {
    if (!this.#isOpen) this.#forgotten[feed] += this.#backlogs[feed].keep(events);
  }

  /**
   * The other one has not received what came before `beforeMs`, except that the newest `events` of a feed came later for sure.
   * They are kept until it is this replica's turn. Returns how many that are.
   */
  setAside(feed: FeedId, beforeMs: number, events: number): number {
    return this.#isOpen ? 0 : this.#backlogs[feed].setAside(beforeMs, events);
  }

  /** It is this replica's turn: what it kept goes first. `isFirst`: it was nobody else's before. */
  open(isFirst: boolean): HandOver {
    this.#isOpen = true;
    const given = feeds.map(({ id }) => {
      // What was let through in an earlier turn and not printed is printed now, like what was kept.
      const waiting = this.#printer.counts(id).queued;
      const { handed, lost } = this.#backlogs[id].handOver(this.#printer);
      const repeated = isFirst ? 0 : waiting + handed;
      this.#missing[id] += lost;
      this.#repeated[id] += repeated;
      return [id, { repeated, lost }] as const;
    });
    const counts = new Map(given);
    return {
      repeated: perFeed((feed) => counts.get(feed)?.repeated ?? 0),
      missing: perFeed((feed) => counts.get(feed)?.lost ?? 0),
    };
  }

  /** It is no longer. What has been let through stays where it is. */
  close(): void {
    this.#isOpen = false;
  }

  /** There is nothing to print to any more: the printer is left to say so, of what is kept and of what comes. */
  giveUp(): void {
    this.open(true);
  }

  /**
   * Ends the keeping, and returns how many events of each feed go with it. `isOtherPrinting`: another replica is known to print, so
   * that what is kept is its own to print, except what it has not received.
   */
  end(isOtherPrinting: boolean): FeedCounts {
    return perFeed((feed) => {
      const { kept, lost, aside, asideLost } = this.#backlogs[feed].clear();
      if (isOtherPrinting) this.#forgotten[feed] += kept + lost;
      const dropped = isOtherPrinting ? aside : aside + kept;
      const missing = isOtherPrinting ? asideLost : asideLost + lost;
      this.#shutdown[feed] += dropped;
      this.#missing[feed] += missing;
      return dropped + missing;
    });
  }

  /**
   * Those of the printer, and what did not get there: `filtered` is what another replica has seen to, and what may yet turn
   * out to be that is `queued`, even if there was no room for it.
   */
  counts(feed: FeedId): ReturnType<Printer["counts"]> {
    const printed = this.#printer.counts(feed);
    const { queued, lost } = this.#backlogs[feed];
    return {
      ...printed,
      offered: this.#offered[feed],
      filtered: printed.filtered + this.#forgotten[feed],
      dropped: {
        ...printed.dropped,
        mailbox: printed.dropped.mailbox + this.#missing[feed],
        shutdown: printed.dropped.shutdown + this.#shutdown[feed],
      },
      queued: printed.queued + queued + lost,
    };
  }
}
