import { feeds } from "../feeds.ts";
import { type Emit, labelText, type MetricFamily } from "./exposition.ts";
import type { NodeSample } from "./node-series.ts";
import type { FeedSnapshot } from "./snapshot.ts";
import type { MetricSources } from "./sources.ts";

/** What metrics are read from, all of the same instant. */
export interface Scrape {
  readonly sources: MetricSources;
  readonly feeds: readonly FeedSnapshot[];
  readonly nodes: readonly NodeSample[];
}

/** A metric: `/metrics` and docs/metrics.md are made of it. Names: https://prometheus.io/docs/practices/naming/ */
export interface Metric extends MetricFamily {
  /** All values a label has, or what they are. In the order in which samples have them. */
  readonly labels: Readonly<Record<string, readonly string[] | string>>;
  /** In one line, and when to worry. */
  readonly help: string;
  readonly samples: (scrape: Scrape, emit: Emit) => void;
}

export interface MetricGroup {
  readonly title: string;
  /** What holds for all of them, as paragraphs of the page. */
  readonly about?: readonly string[];
  readonly metrics: readonly Metric[];
}

export const feedIds = feeds.map(({ id }) => id);

/** The samples of a metric that has one a feed. */
export function perFeed(value: (feed: FeedSnapshot) => number): Metric["samples"] {
  return (scrape, emit) => {
    for (const feed of scrape.feeds) emit(labelText({ feed: feed.id }), value(feed));
  };
}

/** The samples of a metric that has one a feed and key of a record. */
export function perFeedAnd(
  label: string,
  values: (feed: FeedSnapshot) => Readonly<Record<string, number>>,
): Metric["samples"] {
  return (scrape, emit) => {
    for (const feed of scrape.feeds) {
      for (const [key, value] of Object.entries(values(feed))) emit(labelText({ feed: feed.id, [label]: key }), value);
    }
  };
}

/** The sample of a metric without labels; none when the value is not known. */
export function single(value: (scrape: Scrape) => number | undefined): Metric["samples"] {
  return (scrape, emit) => {
    const known = value(scrape);
    if (known !== undefined) emit("", known);
  };
}

/** The samples of a metric with one label. */
export function perKey(
  label: string,
  values: (scrape: Scrape) => Iterable<readonly [key: string, value: number]>,
): Metric["samples"] {
  return (scrape, emit) => {
    for (const [key, value] of values(scrape)) emit(labelText({ [label]: key }), value);
  };
}
