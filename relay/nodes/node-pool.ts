import { type FeedId, feeds } from "../feeds.ts";
import { addNodeFeedTotals, noNodeFeedTotals, type NodeFeedTotals } from "../ledger/feed-counts.ts";
import { rateSampleMs } from "../ledger/rate-window.ts";
import { type Agent, endpointText } from "./agent.ts";
import { chooseAgents } from "./choose-agents.ts";
import { http2Links } from "./http2-link.ts";
import type { OpenLink } from "./link.ts";
import { Node } from "./node.ts";
import type { NodeDeps, NodeOptions } from "./node-options.ts";

/** Connects to the agents that discovery reports, and to no other. */
export class NodePool implements AsyncDisposable {
  readonly #options: NodeOptions;
  readonly #deps: NodeDeps;
  readonly #openLink: OpenLink;
  readonly #sources = new Map<string, readonly Agent[]>();
  readonly #nodes = new Map<string, Node>();
  /** Hung up on, but not quite gone. */
  readonly #leaving = new Map<Node, Promise<void>>();
  /** Sums of the nodes that are gone, so that totals never go back. */
  readonly #gone = new Map<FeedId, NodeFeedTotals>();
  #goneNotices = 0;
  #isClosed = false;
  #cancelSampling: () => void = () => {};

  constructor(options: NodeOptions, deps: NodeDeps, openLink: OpenLink = http2Links(options, deps)) {
    this.#options = options;
    this.#deps = deps;
    this.#openLink = openLink;
    this.#sample();
  }

  /** The nodes now, connected or not. */
  get nodes(): readonly Node[] {
    return [...this.#nodes.values()];
  }

  /** Whether every feed of every node is open. */
  get hasAllStreams(): boolean {
    return this.nodes.every(({ counts }) => [...counts.values()].every(({ isOpen }) => isOpen));
  }

  /** Sums over all nodes there ever were. */
  totals(feed: FeedId): NodeFeedTotals {
    let sum = this.#gone.get(feed) ?? noNodeFeedTotals;
    for (const node of [...this.#nodes.values(), ...this.#leaving.keys()]) sum = addFeed(sum, node, feed);
    return sum;
  }

  /** Throttle notices of all nodes there ever were. */
  get throttleNotices(): number {
    let sum = this.#goneNotices;
    for (const node of [...this.#nodes.values(), ...this.#leaving.keys()]) sum += node.throttle.notices;
    return sum;
  }

  /** Replaces all that `source` reports, best first: what it reports no longer is hung up on at once. */
  update(source: string, agents: readonly Agent[]): void {
    if (this.#isClosed) return;
    this.#sources.set(source, agents);
    const chosen = chooseAgents([...this.#sources.values()].flat());
    // First close, then open: two pods on one address must not be connected at a time.
    for (const [id, node] of this.#nodes) {
      const wanted = chosen.get(id);
      if (wanted !== undefined && isSame(wanted, node.agent)) continue;
      this.#nodes.delete(id);
      this.#close(node);
    }
    for (const [id, agent] of chosen) {
      if (!this.#nodes.has(id)) this.#nodes.set(id, new Node(agent, this.#options, this.#deps, this.#openLink));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#cancelSampling();
    for (const [id, node] of this.#nodes) {
      this.#nodes.delete(id);
      this.#close(node);
    }
    await Promise.all(this.#leaving.values());
  }

  /** To be called for a node that is no longer among `#nodes`: it counts as one that leaves. */
  #close(node: Node): void {
    const closed = node.close().then(() => {
      for (const { id } of feeds) this.#gone.set(id, addFeed(this.#gone.get(id) ?? noNodeFeedTotals, node, id));
      this.#goneNotices += node.throttle.notices;
      this.#leaving.delete(node);
    });
    this.#leaving.set(node, closed);
  }

  #sample(): void {
    for (const node of this.#nodes.values()) node.sampleRates();
    this.#cancelSampling = this.#deps.clock.after(rateSampleMs, () => this.#sample());
  }
}

function addFeed(sum: NodeFeedTotals, { counts }: Node, feed: FeedId): NodeFeedTotals {
  const its = counts.get(feed);
  return its === undefined ? sum : addNodeFeedTotals(sum, its.totals());
}

function isSame(a: Agent, b: Agent): boolean {
  return a.name === b.name && endpointTexts(a) === endpointTexts(b);
}

function endpointTexts({ endpoints }: Agent): string {
  return endpoints.map(endpointText).join(" ");
}
