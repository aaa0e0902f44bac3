import type { FeedId } from "../../relay/feeds.ts";
import { type Endpoint, endpointText } from "../../relay/nodes/agent.ts";
import type { Link, LinkEvents } from "../../relay/nodes/link.ts";
import type { Node } from "../../relay/nodes/node.ts";
import { BackoffModel } from "./backoff-model.ts";
import type { EventBook } from "./event-book.ts";
import type { SimAgent } from "./sim-agent.ts";
import { type NodeTruth, NodeTruths } from "./node-truth.ts";
import { SimLink } from "./sim-link.ts";
import type { World } from "./world.ts";

/** What becomes of a dial: it is answered, refused, never answered, or answered about when the relay gives up. */
export type DialMode = "open" | "closed" | "lost" | "slow";

/** A connection from the moment the relay asks for it. */
export interface Attempt {
  readonly endpoint: string;
  readonly node: Node;
  readonly startedMs: number;
  link: SimLink | undefined;
}

/** All that the relay dials: who listens where, every connection there is, and what came over each. */
export class Network {
  /** Connections that are not over. */
  readonly attempts = new Set<Attempt>();
  readonly dialModes = new Map<string, DialMode>();
  readonly listeners = new Map<string, SimAgent>();
  readonly #world: World;
  readonly #book: EventBook;
  readonly #nodes: () => readonly Node[];
  readonly #truths = new WeakMap<Node, NodeTruths>();
  readonly #total = new NodeTruths();
  readonly #backoffs = new WeakMap<Node, BackoffModel>();
  /** Throttle notices that reached the relay. */
  notices = 0;
  onArrival: (feed: FeedId) => void = () => {};

  constructor(world: World, book: EventBook, nodes: () => readonly Node[]) {
    this.#world = world;
    this.#book = book;
    this.#nodes = nodes;
  }

  /** Of all nodes there ever were. */
  total(feed: FeedId): NodeTruth {
    return this.#total.of(feed);
  }

  truth(node: Node, feed: FeedId): NodeTruth {
    const truths = this.#truths.get(node) ?? new NodeTruths();
    this.#truths.set(node, truths);
    return truths.of(feed);
  }

  /** Undefined: it has not dialled yet. */
  backoff(node: Node): BackoffModel | undefined {
    return this.#backoffs.get(node);
  }

  /** Stands where the relay opens connections. */
  readonly openLink = (endpoint: Endpoint, events: LinkEvents, signal: AbortSignal): Promise<Link> => {
    const { clock, judge, plan, prng, trace } = this.#world;
    const target = endpointText(endpoint);
    const node = this.#nodes().find(({ agent }) => agent.endpoints.some((one) => endpointText(one) === target));
    if (node === undefined) {
      judge.fail("removal", `${target} is dialled, but no node has it`);
      return Promise.reject(new Error("No such node"));
    }
    const attempt: Attempt = { endpoint: target, node, startedMs: clock.now(), link: undefined };
    const backoff = this.#backoffs.get(node) ?? new BackoffModel(plan.node, plan.minDraw, node.foundMs);
    this.#backoffs.set(node, backoff);
    judge.check(
      backoff.mayDial(clock.now()),
      "backoff",
      () => `${target} is dialled ${backoff.earlyMs(clock.now())} ms early`,
    );
    backoff.dialled();
    this.attempts.add(attempt);
    const listener = this.listeners.get(target);
    const mode =
      listener === undefined || !listener.isAlive
        ? (this.dialModes.get(target) ?? "closed")
        : (this.dialModes.get(target) ?? "open");
    trace.note("dial", target, mode);
    return new Promise((resolve, reject) => {
      const settle = () => {
        signal.removeEventListener("abort", abort);
        cancelDeadline();
        cancelAnswer();
      };
      const giveUp = (error: Error) => {
        settle();
        this.attempts.delete(attempt);
        backoff.lost(clock.now(), 0, false);
        reject(error);
      };
      const abort = () => giveUp(signal.reason as Error);
      const cancelDeadline = clock.after(plan.node.connectDeadlineMs, () =>
        giveUp(new Error("Cannot connect in time")),
      );
      const answerMs = mode === "slow" ? prng.within(0.2, 1.3) * plan.node.connectDeadlineMs : this.#world.latencyMs();
      const cancelAnswer = clock.after(answerMs, () => {
        const agent = this.listeners.get(target);
        if (mode === "lost") return;
        if (agent === undefined || !agent.isAlive || mode === "closed") {
          giveUp(new Error("Connection refused"));
          return;
        }
        settle();
        const link = this.#accept(attempt, agent, events, backoff);
        attempt.link = link;
        resolve(link);
      });
      signal.addEventListener("abort", abort, { once: true });
    });
  };

  #both(node: Node, feed: FeedId): readonly NodeTruth[] {
    return [this.truth(node, feed), this.total(feed)];
  }

  #accept(attempt: Attempt, agent: SimAgent, events: LinkEvents, backoff: BackoffModel): SimLink {
    const { clock, judge, trace } = this.#world;
    const { node, endpoint } = attempt;
    let healthyMs: number | undefined;
    let arrived = 0;
    const link: SimLink = new SimLink(this.#world, agent, events, {
      onArrival: (event) => {
        const { feed } = event.source;
        this.#book.arrive(event, clock.now());
        for (const truth of this.#both(node, feed)) truth.events += 1;
        if (event.kind === "notice") this.notices += 1;
        arrived += 1;
        trace.mix(event.ordinal);
        backoff.delivered(feed);
        this.onArrival(feed);
      },
      onStreamAsked: (feed) => {
        judge.check(
          ![...link.streams].some((stream) => stream.feed === feed),
          "one-stream",
          () => `${endpoint} is asked for ${feed.id} again`,
        );
        judge.check(
          backoff.mayAsk(feed.id, clock.now()),
          "backoff",
          () => `${endpoint} is asked for ${feed.id} too early`,
        );
        backoff.asked(feed.id, clock.now());
      },
      onStreamOpen: (feed) => {
        for (const truth of this.#both(node, feed.id)) truth.opened(clock.now());
      },
      onStreamOver: (stream, end) => {
        const feed = stream.feed.id;
        trace.note("stream over", endpoint, feed, end.kind);
        backoff.streamOver(feed, end.kind === "refused", clock.now());
        if (!this.#nodes().includes(node)) return;
        for (const truth of this.#both(node, feed)) truth.ended(end, stream.isOpen, clock.now());
      },
      onHealthy: () => {
        healthyMs = clock.now();
      },
      onOver: (isByRelay) => {
        trace.note(isByRelay ? "hung up" : "lost", endpoint, ...link.reasons);
        this.attempts.delete(attempt);
        backoff.lost(clock.now(), healthyMs === undefined ? 0 : clock.now() - healthyMs, arrived > 0);
        const isSilent = clock.now() - link.lastHeardMs >= this.#world.plan.node.silenceMs - 1e-6;
        const isCalledFor = !isByRelay || isSilent || link.reasons.length > 0 || !this.#nodes().includes(node);
        judge.check(isCalledFor, "contract", () => `The relay hung up on ${endpoint} for no reason`);
      },
    });
    // The relay listens from when it dials.
    link.lastHeardMs = attempt.startedMs;
    agent.links.add(link);
    trace.note("accept", endpoint, agent.uid);
    return link;
  }
}
