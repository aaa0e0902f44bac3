import { type FeedId, feeds } from "../feeds.ts";
import type { Batch, Consumer } from "../hub/batch.ts";
import type { StdoutSink } from "../sinks/stdout.ts";
import { Backlog } from "./backlog.ts";
import { type FeedCounts, perFeed } from "./history.ts";

/** What is printed to. */
export type Printer = Pick<StdoutSink, "offer" | "counts">;

export interface PrintGateOptions {
  /** What a feed may keep while another replica prints. */
  readonly maxBytes: number;
}

/** Events of each feed at a change of turns. */
export interface HandOver {
  /** Not known to be printed by the other one, and printed by this one: some of them may be there twice. */
  readonly repeated: FeedCounts;
  /** Not known to be printed by the other one, and not to be had any more. */
  readonly missing: FeedCounts;
}

/**
 * Lets events through to be printed while it is this replica's turn, and keeps them otherwise until the one whose turn it is
 * is known to have seen to them.
 */
export class PrintGate implements Consumer {
  readonly #printer: Printer;
  readonly #backlogs: Readonly<Record<FeedId, Backlog>>;
  readonly #offered: Record<FeedId, number> = { alerts: 0, logs: 0, messages: 0 };
  readonly #forgotten: Record<FeedId, number> = { alerts: 0, logs: 0, messages: 0 };
  readonly #missing: Record<FeedId, number> = { alerts: 0, logs: 0, messages: 0 };
  readonly #repeated: Record<FeedId, number> = { alerts: 0, logs: 0, messages: 0 };
  #isOpen = false;

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

  offer(batch: Batch): void {
    this.#offered[batch.feed] += batch.events;
    if (this.#isOpen) this.#printer.offer(batch);
    else this.#backlogs[batch.feed].push(batch);
  }

  /** Events that nobody is known to have printed: they wait here or there, or the end of this process dropped them. */
  unprinted(feed: FeedId): number {
    const { queued, dropped } = this.#printer.counts(feed);
    return this.#backlogs[feed].queued + this.#backlogs[feed].lost + queued + dropped.shutdown;
  }

  /** The other one has seen to all events of a feed but the newest `events`. */
  forget(feed: FeedId, events: number): void {
    if (!this.#isOpen) this.#forgotten[feed] += this.#backlogs[feed].keep(events);
  }

  /** It is this replica's turn: what it kept goes first. `isFirst`: it was nobody else's before. */
  open(isFirst: boolean): HandOver {
    this.#isOpen = true;
    const given = feeds.map(({ id }) => [id, this.#backlogs[id].handOver(this.#printer)] as const);
    for (const [feed, { handed, lost }] of given) {
      this.#missing[feed] += lost;
      if (!isFirst) this.#repeated[feed] += handed;
    }
    const counts = new Map(given);
    return {
      repeated: perFeed((feed) => (isFirst ? 0 : (counts.get(feed)?.handed ?? 0))),
      missing: perFeed((feed) => counts.get(feed)?.lost ?? 0),
    };
  }

  /** It is no longer. What has been let through stays where it is. */
  close(): void {
    this.#isOpen = false;
  }

  /** Ends the keeping: what is kept is another one's, or nobody's. */
  clear(): void {
    for (const { id } of feeds) this.#forgotten[id] += this.#backlogs[id].clear();
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
      dropped: { ...printed.dropped, mailbox: printed.dropped.mailbox + this.#missing[feed] },
      queued: printed.queued + queued + lost,
    };
  }
}
