import { type FeedId, feeds } from "../../relay/feeds.ts";
import { sumOf, unaccountedInHub } from "../../relay/hub/counts.ts";
import type { Subscription } from "../../relay/server/watch.ts";
import type { Audience } from "./audience.ts";
import { Checks } from "./checks.ts";
import type { EventBook } from "./event-book.ts";
import type { Network } from "./network.ts";
import { NodeChecks } from "./node-checks.ts";
import { maxEventBytes } from "./plan.ts";
import type { RelayUnderTest } from "./relay-under-test.ts";
import type { World } from "./world.ts";

export interface OracleDeps {
  readonly book: EventBook;
  readonly network: Network;
  readonly audience: Audience;
  readonly relay: RelayUnderTest;
}

/** What must hold between any two steps: the relay's counters beside what the world knows. */
export class Oracle {
  readonly #world: World;
  readonly #deps: OracleDeps;
  readonly #checks: Checks;
  readonly #nodes: NodeChecks;
  /** The most that was being written since pages last were within the budget. */
  #pinnedBytes = 0;

  constructor(world: World, deps: OracleDeps) {
    this.#world = world;
    this.#deps = deps;
    this.#checks = new Checks(world.judge);
    this.#nodes = new NodeChecks(world, deps);
  }

  /** After every step, so it has to be quick. */
  glance(): void {
    const { judge, plan } = this.#world;
    const { usedBytes, maxBytes, pinnedBytes } = this.#deps.relay.hub.budget;
    const pageBytes = Math.max(plan.hub.pageBytes, maxEventBytes);
    const isWithin = usedBytes <= maxBytes;
    this.#pinnedBytes = isWithin ? pinnedBytes : Math.max(this.#pinnedBytes, pinnedBytes);
    // What is being written cannot go, nor can what each feed gathers in; beside these comes one page.
    const most = Math.max(maxBytes, this.#pinnedBytes + (feeds.length + 1) * pageBytes) + pageBytes;
    judge.check(usedBytes <= most, "leak", () => `${usedBytes} bytes of pages, at most ${most} wanted`);
  }

  check(): void {
    const { audience, relay } = this.#deps;
    audience.noteGone();
    const clients = relay.subscriptions.list();
    for (const { id } of feeds) this.#checkFeed(id, clients);
    this.#nodes.check();
    this.#checkClients(clients);
    this.#checkIdle(clients);
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
    const isSettled = clock.now() - arrived.lastMs > plan.hub.minIntervalMs;
    judge.check(!isSettled || gathered === 0, "accounting", () => `${gathered} ${feed} were gathered and forgotten`);

    const clients = relay.subscriptions.totals(feed);
    const wanted = audience.wanted(feed, gathered);
    judge.equal(clients.offered, wanted.offered, "accounting", feed, "offered to clients");
    judge.equal(clients.delivered, wanted.delivered, "accounting", feed, "delivered to clients");
    this.#checks.ledger(`${feed} of clients`, clients);

    const stdout = { expected: relay.printed.expected(feed), ...relay.stdout.counts(feed) };
    judge.equal(stdout.delivered, audience.stdout.receipts.get(feed)?.events ?? 0, "accounting", feed, "printed");
    this.#checks.ledger(`${feed} of stdout`, stdout);

    const nodes = relay.nodes.totals(feed);
    judge.equal(nodes.bytes, arrived.bytes, "accounting", "bytes of", feed, "of all nodes");
    this.#nodes.checkStreams(`${feed} of all nodes`, nodes, network.total(feed));
    judge.equal(relay.nodes.throttleNotices, network.notices, "accounting", "throttle notices of all nodes");

    this.#checks.neverBack(`hub ${feed}`, hub.received, hub.unclaimed, hub.handed);
    this.#checks.neverBack(`nodes ${feed}`, nodes.bytes, nodes.gaps.durationMs);
  }

  #checkClients(list: readonly Subscription[]): void {
    const { judge, plan } = this.#world;
    const { audience } = this.#deps;
    const known = list.filter(({ peer }) => audience.clientNamed(peer)?.isOpen === true).length;
    judge.equal(known, audience.open.size, "contract", "clients that the relay shows");
    for (const { peer, counts, queuedBytes, lag } of list) {
      this.#checks.ledger(peer, counts);
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

  /** Nobody wants anything: nothing is kept. */
  #checkIdle(list: readonly Subscription[]): void {
    const { audience, relay } = this.#deps;
    const isWanted = list.length > 0 || feeds.some(({ id }) => audience.isPrinting(id));
    const isPrinted = feeds.every(({ id }) => relay.stdout.counts(id).queued === 0);
    if (isWanted || !isPrinted) return;
    this.#world.judge.equal(relay.hub.budget.usedBytes, 0, "leak", "bytes of pages that nobody needs");
  }
}
