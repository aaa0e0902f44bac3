import type { Clock } from "../../lib/process/clock.ts";
import { type Feed, type FeedId, feeds } from "../feeds.ts";
import { addLedgers, type ConsumerLedger, emptyLedger } from "../hub/counts.ts";
import type { Hub } from "../hub/hub.ts";
import type { Membership } from "../hub/membership.ts";
import { readFilter } from "../wire/request-filter.ts";
import type { Call, CallHandler } from "./call.ts";
import { Code, ok, respondWithTrailers } from "./status.ts";
import { type Lag, Subscriber, type SubscriberOptions } from "./subscriber.ts";

export interface SubscriptionOptions extends SubscriberOptions {
  readonly maxSubscribers: number;
}

/** Limits that may change while the relay runs. */
export type SubscriptionLimits = Pick<SubscriptionOptions, "maxSubscribers" | "mailboxBytes">;

/** A subscriber as status pages show it. */
export interface Subscription {
  readonly feed: FeedId;
  readonly peer: string;
  readonly sinceMs: number;
  readonly counts: ConsumerLedger;
  readonly queuedBytes: number;
  readonly deliveredBytes: number;
  readonly lag: Lag;
}

interface Active {
  readonly call: Call;
  readonly feed: FeedId;
  readonly sinceMs: number;
  readonly subscriber: Subscriber;
  readonly membership: Membership;
}

/** Everybody who watches a feed over gRPC. */
export class Subscriptions {
  #options: SubscriptionOptions;
  readonly #hub: Hub;
  readonly #clock: Clock;
  readonly #active = new Set<Active>();
  /** Sums of those who left, so that totals never go back. */
  readonly #departed = new Map<FeedId, ConsumerLedger>();
  #isDraining = false;

  constructor(options: SubscriptionOptions, hub: Hub, clock: Clock) {
    this.#options = options;
    this.#hub = hub;
    this.#clock = clock;
  }

  /** The handler of every feed's method, by its path. */
  routes(): ReadonlyMap<string, CallHandler> {
    return new Map(feeds.map((feed) => [feed.path, (call: Call, request: Buffer) => this.#watch(feed, call, request)]));
  }

  /** Takes effect at once; those who are served stay, even if they are more than now may. */
  configure(limits: SubscriptionLimits): void {
    this.#options = { ...this.#options, ...limits };
    for (const { subscriber } of this.#active) subscriber.configure(limits);
  }

  get size(): number {
    return this.#active.size;
  }

  list(): readonly Subscription[] {
    return Array.from(this.#active, (active) => ({
      feed: active.feed,
      peer: active.call.peer,
      sinceMs: active.sinceMs,
      counts: ledgerOf(active),
      queuedBytes: active.subscriber.queuedBytes,
      deliveredBytes: active.subscriber.deliveredBytes,
      lag: active.subscriber.lag,
    }));
  }

  /** Sums over all subscribers a feed ever had. */
  totals(feed: FeedId): ConsumerLedger {
    let sum = this.#departed.get(feed) ?? emptyLedger;
    for (const active of this.#active) if (active.feed === feed) sum = addLedgers(sum, ledgerOf(active));
    return sum;
  }

  /** Sends what is queued and ends every stream with OK; new ones are refused. Resolves when all have ended. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    await Promise.all(
      Array.from(this.#active, async ({ call, subscriber }) => {
        await subscriber.idle();
        call.end(ok);
      }),
    );
  }

  #watch(feed: Feed, call: Call, request: Buffer): void {
    const filter = readFilter(request);
    if (filter === undefined) {
      call.end({ code: Code.INTERNAL, message: "Cannot read the request: it is not a RequestMessage" });
      return;
    }
    if (feed.acceptedFilters !== undefined && !feed.acceptedFilters.has(filter)) {
      call.end(ok);
      return;
    }
    if (this.#isDraining) {
      call.end({ code: Code.UNAVAILABLE, message: "The relay is shutting down" });
      return;
    }
    if (this.#active.size >= this.#options.maxSubscribers) {
      call.end({
        code: Code.RESOURCE_EXHAUSTED,
        message: `At most ${this.#options.maxSubscribers} streams are served`,
      });
      return;
    }
    this.#admit(feed, call);
  }

  #admit(feed: Feed, call: Call): void {
    respondWithTrailers(call.stream);
    // A client may end its side at any time; what else it sends is not read, but must not fill the connection's window.
    call.stream.resume();
    const subscriber = new Subscriber(this.#options, {
      stream: call.stream,
      clock: this.#clock,
      budget: this.#hub.budget,
    });
    const membership = this.#hub.subscribe(feed.id, subscriber);
    const active: Active = { call, feed: feed.id, sinceMs: this.#clock.now(), subscriber, membership };
    this.#active.add(active);
    call.signal.addEventListener(
      "abort",
      () => {
        membership.leave();
        subscriber.close(this.#isDraining ? "shutdown" : "disconnected");
        void this.#retire(active);
      },
      { once: true },
    );
  }

  /** Keeps the counts of a subscriber that left, once its last write has ended. */
  async #retire(active: Active): Promise<void> {
    await active.subscriber.idle();
    this.#active.delete(active);
    this.#departed.set(active.feed, addLedgers(this.#departed.get(active.feed) ?? emptyLedger, ledgerOf(active)));
  }
}

function ledgerOf({ subscriber, membership }: Active): ConsumerLedger {
  return { expected: membership.expected, ...subscriber.counts() };
}
