import { type FeedId, feeds } from "../../relay/feeds.ts";
import type { ConsumerLedger } from "../../relay/hub/counts.ts";
import type { Subscription } from "../../relay/server/watch.ts";
import { Code } from "../../relay/server/status.ts";
import type { EventBook } from "./event-book.ts";
import type { RelayUnderTest } from "./relay-under-test.ts";
import { type Pace, SimClient } from "./sim-client.ts";
import type { SimStdout } from "./sim-stdout.ts";
import type { World } from "./world.ts";

/** Everybody whom events are for, and what each must have been offered. */
export class Audience {
  readonly stdout: SimStdout;
  /** That were admitted and have not left. */
  readonly open = new Set<SimClient>();
  /** That left, while the relay may still be busy with them; then only sums of them are kept. */
  readonly #leaving = new Set<SimClient>();
  readonly #byName = new Map<string, SimClient>();
  readonly #gone = new Map<FeedId, { offered: number; delivered: number }>(
    feeds.map(({ id }) => [id, { offered: 0, delivered: 0 }]),
  );
  readonly #unclaimed = new Map<FeedId, number>();
  /** Where stdout is on: how much it had been offered, and how much had arrived, when it was switched on. */
  readonly #printing = new Map<FeedId, { readonly offered: number; readonly since: number }>();
  readonly #world: World;
  readonly #book: EventBook;
  readonly #relay: RelayUnderTest;
  #clients = 0;
  #maxSubscribers: number;
  maxMailboxBytes: number;

  constructor(world: World, book: EventBook, relay: RelayUnderTest, stdout: SimStdout) {
    this.#world = world;
    this.#book = book;
    this.#relay = relay;
    this.stdout = stdout;
    this.#maxSubscribers = world.plan.subscriptions.maxSubscribers;
    this.maxMailboxBytes = world.plan.subscriptions.mailboxBytes;
  }

  /** An event of the feed has reached the relay. */
  noteArrival(feed: FeedId): void {
    if (this.#isWanted(feed)) return;
    this.#unclaimed.set(feed, this.unclaimed(feed) + 1);
  }

  unclaimed(feed: FeedId): number {
    return this.#unclaimed.get(feed) ?? 0;
  }

  join(pace: Pace): SimClient | undefined {
    const { prng, judge, trace } = this.#world;
    const feed = prng.pick(feeds);
    if (feed === undefined) return undefined;
    const client = new SimClient(this.#world, this.#book, feed, `client-${this.#clients++}`, pace);
    const isFull = this.#relay.subscriptions.list().length >= this.#maxSubscribers;
    this.#ask(client, prng.pick([...(feed.acceptedFilters ?? ["", "any"])]) ?? "all");
    trace.note("join", client.name, feed.id, pace, isFull ? "refused" : "admitted");
    judge.equal(
      client.status?.code ?? -1,
      isFull ? Code.RESOURCE_EXHAUSTED : -1,
      "contract",
      `${client.name}'s status`,
    );
    if (!client.isOpen) return undefined;
    this.open.add(client);
    this.#byName.set(client.name, client);
    return client;
  }

  /** The limits change; where nobody healthy may lose anything, they do not get tighter than that allows. */
  limit(): void {
    const { prng, plan, trace } = this.#world;
    const { subscriptions, hub } = this.#relay;
    this.#maxSubscribers = prng.oneOf(2, plan.subscriptions.maxSubscribers);
    const least = plan.sparesHealthy ? 1 : 0.2;
    const mailboxBytes = Math.round(plan.subscriptions.mailboxBytes * prng.within(least, 2));
    const bufferBytes = Math.round((plan.hub.bufferBytes ?? 0) * prng.within(least, 2));
    trace.note("limits", this.#maxSubscribers, mailboxBytes, bufferBytes);
    this.maxMailboxBytes = mailboxBytes;
    subscriptions.configure({ maxSubscribers: this.#maxSubscribers, mailboxBytes });
    hub.budget.configure(bufferBytes);
  }

  /** A request that is none, or that asks for what the feed does not have: it ends at once. */
  askOddly(): void {
    const { prng, judge } = this.#world;
    const feed = feeds.find(({ acceptedFilters }) => acceptedFilters !== undefined);
    if (feed === undefined) return;
    const client = new SimClient(this.#world, this.#book, feed, `client-${this.#clients++}`, "healthy");
    const isMalformed = prng.chance(0.5);
    if (isMalformed) this.#relay.subscriptions.routes().get(feed.path)?.(client.call, Buffer.of(0x0a, 9, 1));
    else this.#ask(client, "nonsense");
    judge.equal(
      client.status?.code ?? -1,
      isMalformed ? Code.INTERNAL : Code.OK,
      "contract",
      "status of an odd request",
    );
  }

  leave(client: SimClient): void {
    if (!this.open.has(client)) return;
    this.#world.trace.note("leave", client.name);
    const gathered = this.gathered(client.feed.id);
    client.offeredAtLeave = this.#book.arrived(client.feed.id).events - client.joinedAt - gathered;
    this.open.delete(client);
    this.#leaving.add(client);
    this.#abandon(client.feed.id, gathered);
    client.cancel();
  }

  /** What the server does at the deadline of a drain. */
  hangUp(): void {
    for (const client of [...this.open, ...this.#leaving]) client.cancel();
  }

  switchStdout(isOn: Readonly<Record<FeedId, boolean>>): void {
    const before = new Map(feeds.map(({ id }) => [id, this.gathered(id)]));
    const wasOn = new Map(this.#printing);
    for (const { id } of feeds) {
      if (isOn[id] === wasOn.has(id)) continue;
      this.#world.trace.note("stdout", id, isOn[id] ? "on" : "off");
      if (!isOn[id]) {
        this.#printing.delete(id);
        this.#abandon(id, before.get(id) ?? 0);
        this.stdout.receipts.get(id)?.end(this.#book.arrived(id).events - (before.get(id) ?? 0));
        continue;
      }
      const since = this.#book.arrived(id).events;
      this.#printing.set(id, { offered: this.#relay.stdout.counts(id).offered, since });
      this.stdout.receipts.get(id)?.begin(since);
    }
    this.#relay.printed.apply(isOn);
    for (const { id } of feeds) {
      const on = wasOn.get(id);
      if (on === undefined || isOn[id]) continue;
      const offered = on.offered + this.#book.arrived(id).events - on.since - (before.get(id) ?? 0);
      this.#world.judge.equal(
        this.#relay.stdout.counts(id).offered,
        offered,
        "accounting",
        `stdout's ${id} when switched off`,
      );
    }
  }

  isPrinting(feed: FeedId): boolean {
    return this.#printing.has(feed);
  }

  /** What the hub has of the feed and has not handed over: what each of its consumers is behind of what arrived. */
  gathered(feed: FeedId, list: readonly Subscription[] = this.#relay.subscriptions.list()): number {
    const arrived = this.#book.arrived(feed).events;
    const behind = new Map<string, number>();
    for (const { peer, counts } of list) {
      const client = this.clientNamed(peer);
      if (client?.feed.id === feed && this.open.has(client))
        behind.set(peer, arrived - client.joinedAt - counts.offered);
    }
    const printing = this.#printing.get(feed);
    if (printing !== undefined) {
      behind.set("stdout", arrived - printing.since - (this.#relay.stdout.counts(feed).offered - printing.offered));
    }
    const [first] = behind.values();
    const describe = () => `${feed}: behind by ${JSON.stringify(Object.fromEntries(behind))}`;
    const isSame = [...behind.values()].every((value) => value === first);
    this.#world.judge.check(isSame && (first ?? 0) >= 0, "accounting", describe);
    return first ?? 0;
  }

  /** Sums over all clients there ever were, as they must be. */
  wanted(feed: FeedId, gathered: number): { readonly offered: number; readonly delivered: number } {
    let { offered, delivered } = this.#gone.get(feed) ?? { offered: 0, delivered: 0 };
    for (const client of this.open) {
      if (client.feed.id !== feed) continue;
      offered += this.#book.arrived(feed).events - client.joinedAt - gathered;
      delivered += client.receipts.events;
    }
    for (const client of this.#leaving) {
      if (client.feed.id !== feed) continue;
      offered += client.offeredAtLeave;
      delivered += client.receipts.events;
    }
    return { offered, delivered };
  }

  /** Whom the relay has ended has left; those of whom it knows no more become sums. */
  noteGone(): void {
    for (const client of this.open) {
      if (client.isOpen) continue;
      client.offeredAtLeave = this.#book.arrived(client.feed.id).events - client.joinedAt;
      this.open.delete(client);
      this.#leaving.add(client);
    }
    for (const client of this.#leaving) {
      if (client.isBeingWrittenTo) continue;
      this.#leaving.delete(client);
      this.#byName.delete(client.name);
      const gone = this.#gone.get(client.feed.id);
      if (gone === undefined) continue;
      gone.offered += client.offeredAtLeave;
      gone.delivered += client.receipts.events;
    }
  }

  /** Undefined once the relay knows no more of it. */
  clientNamed(name: string): SimClient | undefined {
    return this.#byName.get(name);
  }

  countsOf(client: SimClient): ConsumerLedger | undefined {
    return this.#relay.subscriptions.list().find(({ peer }) => peer === client.name)?.counts;
  }

  #ask(client: SimClient, filter: string): void {
    const text = Buffer.from(filter);
    const request = Buffer.concat([Buffer.of(0x0a, text.length), text]);
    this.#relay.subscriptions.routes().get(client.feed.path)?.(client.call, request);
  }

  #isWanted(feed: FeedId): boolean {
    if (this.#printing.has(feed)) return true;
    for (const client of this.open) if (client.feed.id === feed) return true;
    return false;
  }

  /** A consumer has left: if it was the last, nobody gets what was being gathered. */
  #abandon(feed: FeedId, gathered: number): void {
    if (!this.#isWanted(feed)) this.#unclaimed.set(feed, this.unclaimed(feed) + gathered);
  }
}
