import { type FeedId, feeds } from "../../relay/feeds.ts";
import { endpointText } from "../../relay/nodes/agent.ts";
import type { Node } from "../../relay/nodes/node.ts";
import type { Attempt, Network } from "./network.ts";
import type { NodeTruth } from "./node-truth.ts";
import type { RelayUnderTest } from "./relay-under-test.ts";
import type { World } from "./world.ts";

/** Delays are rounded up to the clock's ticks. */
const slackMs = 0.01;
/** Of one node: its wait, its slot, and of its connection the deadlines, the watch for silence and each stream's wait. */
const maxTimersPerNode = 9;
const maxTimersBesideNodes = 12;

export interface NodeChecksDeps {
  readonly network: Network;
  readonly relay: RelayUnderTest;
}

/** What must hold of nodes and their connections. */
export class NodeChecks {
  readonly #world: World;
  readonly #deps: NodeChecksDeps;

  constructor(world: World, deps: NodeChecksDeps) {
    this.#world = world;
    this.#deps = deps;
  }

  check(): void {
    const { network, relay } = this.#deps;
    const { nodes } = relay.nodes;
    const attempts = new Map<Node, Attempt>();
    for (const attempt of network.attempts) {
      const { node, endpoint } = attempt;
      const other = attempts.get(node)?.endpoint;
      this.#expect(other === undefined, "one-connection", () => `${node.agent.id} has two: ${endpoint}, ${other}`);
      this.#expect(nodes.includes(node), "removal", () => `${endpoint} is connected, but is no node's any more`);
      attempts.set(node, attempt);
      this.#checkEnd(attempt);
    }
    this.#checkDialling(nodes, attempts);
    for (const node of nodes) {
      const attempt = attempts.get(node);
      this.#checkState(node, attempt);
      for (const { id } of feeds) this.#checkFeed(node, id, attempt);
    }
    const timers = relay.clock.pending;
    const most = maxTimersBesideNodes + maxTimersPerNode * nodes.length;
    this.#expect(timers <= most, "leak", () => `${timers} timers for ${nodes.length} nodes`);
  }

  /** The feeds of a node, or of all. */
  checkStreams(what: string, actual: ReturnType<RelayUnderTest["nodes"]["totals"]>, truth: NodeTruth): void {
    const { judge } = this.#world;
    judge.equal(actual.events, truth.events, "accounting", what);
    judge.equal(actual.openings, truth.openings, "accounting", "openings of", what);
    judge.equal(actual.breaks, truth.breaks, "accounting", "breaks of", what);
    judge.equal(actual.gaps.count, truth.breaks, "accounting", "gaps of", what);
    // Which of the two it was is not to be told when a reset and the end of its connection come as one.
    const { reset, "connection-lost": lost, ...others } = actual.ends;
    judge.equal(reset + lost, truth.ends.get("broken") ?? 0, "accounting", "ends without a status of", what);
    for (const [reason, ends] of Object.entries(others))
      judge.equal(ends, truth.ends.get(reason) ?? 0, "accounting", "ends by", reason, "of", what);
  }

  /** Nobody is kept who has gone silent or said goodbye. */
  #checkEnd({ endpoint, link }: Attempt): void {
    if (link === undefined) return;
    const { clock, plan } = this.#world;
    const silentMs = clock.now() - link.lastHeardMs;
    const isHeard = silentMs <= plan.node.silenceMs + slackMs;
    this.#expect(isHeard, "recovery", () => `${endpoint} is kept, silent for ${silentMs} ms`);
    const lateMs = clock.now() - link.goneByMs;
    this.#expect(lateMs <= slackMs, "recovery", () => `${endpoint} is kept ${lateMs} ms too long after GOAWAY`);
  }

  /** As many dial as there are slots, and no fewer while others wait for one. */
  #checkDialling(nodes: readonly Node[], attempts: ReadonlyMap<Node, Attempt>): void {
    const { clock, plan } = this.#world;
    let certain = 0;
    let possible = 0;
    for (const { link, startedMs } of attempts.values()) {
      if (link?.isHealthy === true) continue;
      const leftMs = startedMs + plan.node.dialSlotMs - clock.now();
      if (leftMs > slackMs) certain += 1;
      if (leftMs >= -slackMs) possible += 1;
    }
    const { dialSlots } = plan;
    this.#expect(certain <= dialSlots, "dialling", () => `${certain} dials at a time, at most ${dialSlots} wanted`);
    const waiting = nodes.filter((node) => node.state.kind === "connecting" && !attempts.has(node)).length;
    const isBusy = waiting === 0 || possible >= dialSlots;
    this.#expect(isBusy, "dialling", () => `${waiting} nodes wait to dial, and ${possible} of ${dialSlots} dial`);
  }

  #checkState(node: Node, attempt: Attempt | undefined): void {
    const { agent, state } = node;
    const isConnected = attempt?.link?.isHealthy === true;
    const what = () => `${agent.id} says "${state.kind}" with ${isConnected ? "a" : "no"} healthy connection`;
    this.#expect((state.kind === "connected") === isConnected, "contract", what);
    if (state.kind === "connected") {
      const isOwn = agent.endpoints.some((one) => endpointText(one) === state.endpoint);
      this.#expect(state.endpoint === attempt?.endpoint && isOwn, "contract", what);
    }
    if (state.kind !== "waiting") return;
    const lateMs = this.#world.clock.now() - (this.#deps.network.backoff(node)?.dialsByMs ?? 0);
    this.#expect(lateMs <= slackMs, "backoff", () => `${agent.id} still waits, ${lateMs} ms after it had to dial`);
  }

  #checkFeed(node: Node, feed: FeedId, attempt: Attempt | undefined): void {
    const { clock, judge } = this.#world;
    const { network } = this.#deps;
    const what = `${feed} of ${node.agent.id}`;
    const counts = node.counts.get(feed);
    if (counts === undefined) {
      judge.fail("accounting", `${what} has no counts`);
      return;
    }
    const truth = network.truth(node, feed);
    const totals = counts.totals();
    this.checkStreams(what, totals, truth);
    judge.equal(totals.gaps.durationMs, truth.gapsMs(clock.now()), "accounting", "ms of gaps of", what);
    const stream = [...(attempt?.link?.streams ?? [])].find((one) => one.feed.id === feed);
    const isOpen = stream?.isOpen === true;
    this.#expect(counts.isOpen === isOpen, "contract", () => `${what} is said to be ${isOpen ? "closed" : "open"}`);
    if (stream !== undefined || attempt?.link?.isUsable !== true) return;
    const lateMs = clock.now() - (network.backoff(node)?.asksByMs(feed) ?? 0);
    this.#expect(lateMs <= slackMs, "backoff", () => `${what} is not asked for, ${lateMs} ms after it had to be`);
  }

  #expect(...[holds, rule, describe]: Parameters<World["judge"]["check"]>): void {
    this.#world.judge.check(holds, rule, describe);
  }
}
