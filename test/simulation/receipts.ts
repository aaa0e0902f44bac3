import type { FeedId } from "../../relay/feeds.ts";
import type { EventBook, SentEvent } from "./event-book.ts";
import type { Judge } from "./judge.ts";

/** What one consumer got of a feed, judged as it comes: only events that reached the relay, each once, each agent's in order. */
export class Receipts {
  readonly #book: EventBook;
  readonly #judge: Judge;
  readonly #feed: FeedId;
  readonly #reader: string;
  /** Which arrivals were for it: from each first one up to the other. */
  readonly #spans: { readonly from: number; to: number }[] = [];
  readonly #lastOfSource = new Map<number, number>();
  events = 0;

  constructor(book: EventBook, judge: Judge, feed: FeedId, reader: string) {
    this.#book = book;
    this.#judge = judge;
    this.#feed = feed;
    this.#reader = reader;
  }

  /** The consumer is with the feed from this arrival on. */
  begin(arrival: number): void {
    this.#spans.push({ from: arrival, to: Number.POSITIVE_INFINITY });
  }

  end(arrival: number): void {
    const span = this.#spans.at(-1);
    if (span !== undefined) span.to = arrival;
  }

  take(run: Buffer): void {
    for (const event of this.#book.read(this.#feed, run, this.#reader)) this.add(event);
  }

  add(event: SentEvent): void {
    const { ordinal, source, sequence, arrival } = event;
    const what = () => `${this.#reader} got ${this.#feed} event ${ordinal} (number ${sequence} of ${source.agent})`;
    this.#judge.check(arrival !== undefined, "bytes", () => `${what()}, which has not reached the relay`);
    const last = this.#lastOfSource.get(source.ordinal) ?? -1;
    this.#judge.check(sequence !== last, "duplicate", () => `${what()} twice`);
    this.#judge.check(sequence >= last, "order", () => `${what()} after number ${last}`);
    const isWanted = this.#spans.some(({ from, to }) => arrival !== undefined && from <= arrival && arrival < to);
    this.#judge.check(isWanted, "order", () => `${what()} of a time when it was not there`);
    this.#lastOfSource.set(source.ordinal, sequence);
    this.events += 1;
  }
}
