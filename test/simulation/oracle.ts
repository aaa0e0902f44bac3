import { type FeedId, feeds } from "../../relay/feeds.ts";
import { type ConsumerLedger, sumOf, unaccounted, unaccountedInHub } from "../../relay/hub/counts.ts";
import { endpointText } from "../../relay/nodes/agent.ts";
import type { Node } from "../../relay/nodes/node.ts";
import type { Audience } from "./audience.ts";
import type { EventBook } from "./event-book.ts";
import type { Attempt, Network } from "./network.ts";
import type { NodeTruth } from "./node-truth.ts";
import { maxEventBytes } from "./plan.ts";
import type { Subscription } from "../../relay/server/watch.ts";
import type { RelayUnderTest } from "./relay-under-test.ts";
import type { World } from "./world.ts";

export interface OracleDeps {
  readonly book: EventBook;
  readonly network: Network;
  readonly audience: Audience;
  readonly relay: RelayUnderTest;
}

/** Delays are rounded up to the clock's ticks. */
const slackMs = 0.01;
/** Of one node: its wait, its slot, and of its connection the deadlines, the watch for silence and each stream's wait. */
const maxTimersPerNode = 9;
const maxTimersBesideNodes = 12;

/** What must hold between any two steps: the relay's counters beside what the world knows. */
export class Oracle {
  readonly #world: World;
  readonly #deps: OracleDeps;
  /** Of counters, when they were last looked at. */
  readonly #highest = new Map<string, readonly number[]>();

  constructor(world: World, deps: OracleDeps) {
    this.#world = world;
    this.#deps = deps;
  }

  check(): void {
    const { audience, relay } = this.#deps;
    audience.noteGone();
    const clients = relay.subscriptions.list();
    for (const { id } of feeds) this.#checkFeed(id, clients);
    this.#checkConnections();
    this.#checkNodes();
    this.#checkClients(clients);
    this.#checkBudget();
  }

  #checkFeed(feed: FeedId, list: readonly Subscription[]): void {
    const { judge, clock, plan } = this.#world;
    const { book, audience, relay, network } = this.#deps;
    const arrived = book.arrived(feed);
    const hub = relay.hub.totals(feed);
    judge.equal(hub.received, arrived.events, "accounting", feed, "received by the hub");
    judge.equal(hub.unclaimed, audience.unclaimed(feed), "accounting", feed, "unclaimed");
    judge.equal(unaccountedInHub(hub), 0, "accounting", feed, "unaccounted for by the hub");

    const gathered = audience.gathered(feed, list);
    judge.equal(hub.gathered, gathered, "accounting", feed, "gathered by the hub");
    const isSettled = clock.now() - arrived.lastMs > plan.hub.minIntervalMs + slackMs;
    judge.check(!isSettled || gathered === 0, "accounting", () => `${gathered} ${feed} were gathered and forgotten`);

    const clients = relay.subscriptions.totals(feed);
    const wanted = audience.wanted(feed, gathered);
    judge.equal(clients.offered, wanted.offered, "accounting", feed, "offered to clients");
    judge.equal(clients.delivered, wanted.delivered, "accounting", feed, "delivered to clients");
    this.#checkLedger(`${feed} of clients`, clients);

    const stdout = { expected: relay.printed.expected(feed), ...relay.stdout.counts(feed) };
    judge.equal(stdout.delivered, audience.stdout.receipts.get(feed)?.events ?? 0, "accounting", feed, "printed");
    this.#checkLedger(`${feed} of stdout`, stdout);

    const nodes = relay.nodes.totals(feed);
    judge.equal(nodes.bytes, arrived.bytes, "accounting", "bytes of", feed, "of all nodes");
    this.#checkStreams(`${feed} of all nodes`, nodes, network.total(feed));
    judge.equal(relay.nodes.throttleNotices, network.notices, "accounting", "throttle notices of all nodes");

    this.#neverBack(`hub ${feed}`, hub.received, hub.unclaimed, hub.handed);
    this.#neverBack(`nodes ${feed}`, nodes.bytes, nodes.gaps.durationMs);
  }

  /** Each event has one fate, and no fate is taken back. */
  #checkLedger(what: string, ledger: ConsumerLedger): void {
    const { judge } = this.#world;
    const { expected, offered, delivered, filtered, unreadable, dropped, queued } = ledger;
    const fates = delivered + filtered + unreadable + sumOf(dropped) + queued;
    judge.equal(fates, offered, "accounting", what, "whose fate is known");
    judge.equal(expected, offered, "accounting", what, "expected");
    judge.equal(unaccounted(ledger), 0, "accounting", what, "unaccounted for");
    judge.check(queued >= 0, "accounting", () => `${what}: ${queued} queued`);
    this.#neverBack(what, expected, offered, delivered, filtered, unreadable, ...Object.values(dropped));
  }

  #checkStreams(what: string, actual: ReturnType<RelayUnderTest["nodes"]["totals"]>, truth: NodeTruth): void {
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

  #checkConnections(): void {
    const { judge, clock, plan } = this.#world;
    const { network, relay } = this.#deps;
    const byNode = new Map<Node, string>();
    const nodes = new Set(relay.nodes.nodes);
    let dialling = 0;
    for (const { endpoint, node, startedMs, link } of network.attempts) {
      const { id } = node.agent;
      judge.check(!byNode.has(node), "one-connection", () => `${id} has two: ${endpoint}, ${byNode.get(node)}`);
      byNode.set(node, endpoint);
      judge.check(nodes.has(node), "removal", () => `${endpoint} is connected, but ${id} is no node any more`);
      const isHoldingSlot = link?.isHealthy !== true && clock.now() - startedMs < plan.node.dialSlotMs - slackMs;
      if (isHoldingSlot) dialling += 1;
      if (link === undefined) continue;
      const silentMs = clock.now() - link.lastHeardMs;
      judge.check(
        silentMs <= plan.node.silenceMs + slackMs,
        "recovery",
        () => `${endpoint} is kept, silent for ${silentMs} ms`,
      );
      const goneMs = link.goawayMs === undefined ? 0 : clock.now() - link.goawayMs;
      judge.check(
        goneMs <= plan.node.goawayGraceMs + slackMs,
        "recovery",
        () => `${endpoint} is kept ${goneMs} ms after GOAWAY`,
      );
    }
    judge.check(
      dialling <= plan.dialSlots,
      "dialling",
      () => `${dialling} dials at a time, at most ${plan.dialSlots} wanted`,
    );
    const timers = relay.clock.pending;
    const most = maxTimersBesideNodes + maxTimersPerNode * nodes.size;
    judge.check(timers <= most, "leak", () => `${timers} timers for ${nodes.size} nodes`);
  }

  #checkNodes(): void {
    const { network, relay } = this.#deps;
    for (const node of relay.nodes.nodes) {
      const attempt = [...network.attempts].find((one) => one.node === node);
      this.#checkState(node, attempt);
      for (const { id } of feeds) this.#checkNodeFeed(node, id, attempt);
    }
  }

  #checkState({ agent, state }: Node, attempt: Attempt | undefined): void {
    const { judge } = this.#world;
    const isConnected = attempt?.link?.isHealthy === true;
    const what = () => `${agent.id} says "${state.kind}" with ${isConnected ? "a" : "no"} healthy connection`;
    judge.check((state.kind === "connected") === isConnected, "contract", what);
    if (state.kind !== "connected") return;
    const isOwn = agent.endpoints.some((one) => endpointText(one) === state.endpoint);
    judge.check(state.endpoint === attempt?.endpoint && isOwn, "contract", what);
  }

  #checkNodeFeed(node: Node, feed: FeedId, attempt: Attempt | undefined): void {
    const { judge } = this.#world;
    const what = `${feed} of ${node.agent.id}`;
    const counts = node.counts.get(feed);
    if (counts === undefined) {
      judge.fail("accounting", `${what} has no counts`);
      return;
    }
    this.#checkStreams(what, counts.totals(), this.#deps.network.truth(node, feed));
    const isOpen = [...(attempt?.link?.streams ?? [])].some((stream) => stream.feed.id === feed && stream.isOpen);
    judge.check(counts.isOpen === isOpen, "contract", () => `${what} is said to be ${isOpen ? "closed" : "open"}`);
  }

  #checkClients(list: readonly Subscription[]): void {
    const { judge, plan } = this.#world;
    const { audience } = this.#deps;
    const known = list.filter(({ peer }) => audience.clientNamed(peer)?.isOpen === true).length;
    judge.equal(known, audience.open.size, "contract", "clients that the relay shows");
    for (const { peer, counts, queuedBytes, lag } of list) {
      this.#checkLedger(peer, counts);
      const most = Math.max(audience.maxMailboxBytes, plan.hub.pageBytes, maxEventBytes);
      judge.check(queuedBytes <= most, "leak", () => `${queuedBytes} bytes wait for ${peer}, at most ${most} wanted`);
      judge.check(lag.nowMs >= 0, "accounting", () => `${peer} is ${lag.nowMs} ms behind`);
      const client = audience.clientNamed(peer);
      if (client === undefined) continue;
      judge.equal(counts.delivered, client.receipts.events, "accounting", "events delivered to", peer);
      if (!plan.sparesHealthy || !client.isFaithful || !client.isOpen) continue;
      judge.equal(sumOf(counts.dropped), 0, "healthy-loss", "events lost by", client.name, "(which reads at once)");
      const isWaiting = counts.queued > 0 && !client.isBeingWrittenTo;
      judge.check(!isWaiting, "healthy-loss", () => `${client.name} waits for what is not written`);
    }
  }

  /** Pages that are being written or gathered cannot be given up, whatever the budget is. */
  #checkBudget(): void {
    const { judge, plan } = this.#world;
    const { audience, relay } = this.#deps;
    const { usedBytes, maxBytes } = relay.hub.budget;
    const pageBytes = Math.max(plan.hub.pageBytes, maxEventBytes);
    const writing = relay.subscriptions.list().length * (plan.subscriptions.maxWriteBytes + 2 * pageBytes);
    const most = maxBytes + writing + (feeds.length + 1) * pageBytes;
    judge.check(usedBytes <= most, "leak", () => `${usedBytes} bytes of pages, at most ${most} wanted`);
    const isIdle = relay.subscriptions.list().length === 0 && !feeds.some(({ id }) => audience.isPrinting(id));
    const isEmpty = feeds.every(({ id }) => relay.stdout.counts(id).queued === 0);
    if (isIdle && isEmpty) judge.equal(usedBytes, 0, "leak", "bytes of pages that nobody needs");
  }

  #neverBack(what: string, ...values: readonly number[]): void {
    const highest = this.#highest.get(what) ?? values;
    for (let index = 0; index < values.length; index++) {
      const [value = 0, before = 0] = [values[index], highest[index]];
      this.#world.judge.check(
        value >= before,
        "monotonic",
        () => `counter ${index} of ${what} fell from ${before} to ${value}`,
      );
    }
    this.#highest.set(what, values);
  }
}
