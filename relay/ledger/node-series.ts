import { type FeedId, feeds } from "../feeds.ts";
import type { FeedCounts } from "./feed-counts.ts";
import { labelText } from "./exposition.ts";

/** What a node's series are made of. */
export interface CountedNode {
  readonly agent: { readonly name: string };
  readonly state: { readonly kind: string };
  readonly counts: ReadonlyMap<FeedId, FeedCounts>;
  readonly throttle: { readonly notices: number };
}

export interface FeedSeries {
  readonly labels: string;
  readonly events: number;
  readonly bytes: number;
  readonly gaps: number;
  readonly gapSeconds: number;
  readonly openStreams: number;
  /** Milliseconds since 1970; 0 = there was none. */
  readonly lastEventMs: number;
}

/** All agents of one name, which is one node, summed. */
export interface NodeSample {
  readonly labels: string;
  readonly connected: number;
  readonly notices: number;
  readonly feeds: readonly FeedSeries[];
}

/** The label of all nodes together that have no series of their own. No node can be called that. */
export const otherNodes = "_other";

/**
 * Which nodes have series of their own: the first `maxNodes` names, each for as long as an agent of that name is known.
 * Later ones are summed, for good, so that no series ever takes over what another has counted. A name's sums outlive its
 * agent when another takes its place.
 */
export class NodeSeries {
  readonly #maxNodes: number;
  readonly #byName = new Map<string, Entry>();
  readonly #other = new Entry(otherNodes);
  readonly #known = new Map<CountedNode, Entry>();

  constructor(options: { readonly maxNodes: number }) {
    this.#maxNodes = options.maxNodes;
  }

  samples(nodes: readonly CountedNode[]): readonly NodeSample[] {
    for (const node of nodes) if (!this.#known.has(node)) this.#admit(node);
    const present = new Set(nodes);
    for (const [node, entry] of this.#known) if (!present.has(node)) this.#dismiss(node, entry);
    const own = Array.from(this.#byName.values(), (entry) => entry.sample());
    return this.#other.isUsed ? [...own, this.#other.sample()] : own;
  }

  #admit(node: CountedNode): void {
    const { name } = node.agent;
    let entry = this.#byName.get(name);
    if (entry === undefined) {
      entry = this.#byName.size < this.#maxNodes ? new Entry(name) : this.#other;
      if (entry !== this.#other) this.#byName.set(name, entry);
    }
    entry.add(node);
    this.#known.set(node, entry);
  }

  #dismiss(node: CountedNode, entry: Entry): void {
    this.#known.delete(node);
    entry.remove(node);
    if (entry !== this.#other && entry.isEmpty) this.#byName.delete(node.agent.name);
  }
}

interface Sums {
  events: number;
  bytes: number;
  gaps: number;
  gapMs: number;
}

class Entry {
  readonly #labels: string;
  readonly #feedLabels: ReadonlyMap<FeedId, string>;
  readonly #members = new Set<CountedNode>();
  /** Of former members. */
  readonly #gone = new Map<FeedId, Sums>();
  #goneNotices = 0;
  isUsed = false;

  constructor(name: string) {
    this.#labels = labelText({ node: name });
    this.#feedLabels = new Map(feeds.map(({ id }) => [id, labelText({ node: name, feed: id })]));
  }

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  add(node: CountedNode): void {
    this.isUsed = true;
    this.#members.add(node);
  }

  remove(node: CountedNode): void {
    this.#members.delete(node);
    this.#goneNotices += node.throttle.notices;
    for (const [feed, counts] of node.counts) this.#gone.set(feed, addCounts(this.#sumsOf(feed), counts));
  }

  sample(): NodeSample {
    let connected = 0;
    let notices = this.#goneNotices;
    for (const node of this.#members) {
      if (node.state.kind === "connected") connected += 1;
      notices += node.throttle.notices;
    }
    return { labels: this.#labels, connected, notices, feeds: feeds.map(({ id }) => this.#feedSample(id)) };
  }

  #feedSample(feed: FeedId): FeedSeries {
    let sums = this.#sumsOf(feed);
    let openStreams = 0;
    let lastEventMs = 0;
    for (const node of this.#members) {
      const counts = node.counts.get(feed);
      if (counts === undefined) continue;
      sums = addCounts(sums, counts);
      if (counts.isOpen) openStreams += 1;
      lastEventMs = Math.max(lastEventMs, counts.lastEventMs ?? 0);
    }
    const { events, bytes, gaps, gapMs } = sums;
    const labels = this.#feedLabels.get(feed) ?? "";
    return { labels, events, bytes, gaps, gapSeconds: gapMs / 1_000, openStreams, lastEventMs };
  }

  #sumsOf(feed: FeedId): Sums {
    return this.#gone.get(feed) ?? { events: 0, bytes: 0, gaps: 0, gapMs: 0 };
  }
}

function addCounts(sums: Sums, counts: FeedCounts): Sums {
  const { count, durationMs } = counts.gapTotals;
  return {
    events: sums.events + counts.events,
    bytes: sums.bytes + counts.bytes,
    gaps: sums.gaps + count,
    gapMs: sums.gapMs + durationMs,
  };
}
