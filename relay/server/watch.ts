import type { Clock } from "../../lib/process/clock.ts";
import { type Feed, type FeedId, feeds } from "../feeds.ts";
import type { Hub } from "../hub/hub.ts";
import { readFilter } from "../wire/request-filter.ts";
import type { Call, CallHandler } from "./call.ts";
import { Code, ok, respondWithTrailers } from "./status.ts";
import { Subscriber, type SubscriberCounts, type SubscriberOptions } from "./subscriber.ts";

export interface SubscriptionOptions extends SubscriberOptions {
  readonly maxSubscribers: number;
}

/** A subscriber as status pages show it. */
export interface Subscription {
  readonly feed: FeedId;
  readonly peer: string;
  readonly sinceMs: number;
  readonly counts: SubscriberCounts;
  readonly queuedBytes: number;
}

interface Active {
  readonly call: Call;
  readonly feed: FeedId;
  readonly sinceMs: number;
  readonly subscriber: Subscriber;
}

/** Everybody who watches a feed over gRPC. */
export class Subscriptions {
  readonly #options: SubscriptionOptions;
  readonly #hub: Hub;
  readonly #clock: Clock;
  readonly #active = new Set<Active>();
  /** Sums of those who left, so that totals never go back. */
  readonly #departed = new Map<FeedId, SubscriberCounts>();
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

  list(): readonly Subscription[] {
    return Array.from(this.#active, ({ call, feed, sinceMs, subscriber }) => ({
      feed,
      peer: call.peer,
      sinceMs,
      counts: subscriber.counts(),
      queuedBytes: subscriber.queuedBytes,
    }));
  }

  /** Sums over all subscribers a feed ever had. */
  totals(feed: FeedId): SubscriberCounts {
    let sum = this.#departed.get(feed) ?? none;
    for (const active of this.#active) if (active.feed === feed) sum = add(sum, active.subscriber.counts());
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
    const subscriber = new Subscriber(this.#options, call.stream);
    const active: Active = { call, feed: feed.id, sinceMs: this.#clock.now(), subscriber };
    this.#active.add(active);
    const leave = this.#hub.subscribe(feed.id, subscriber);
    call.signal.addEventListener(
      "abort",
      () => {
        leave();
        subscriber.close();
        void this.#retire(active);
      },
      { once: true },
    );
  }

  /** Keeps the counts of a subscriber that left, once its last write has ended. */
  async #retire(active: Active): Promise<void> {
    await active.subscriber.idle();
    this.#active.delete(active);
    this.#departed.set(active.feed, add(this.#departed.get(active.feed) ?? none, active.subscriber.counts()));
  }
}

const none: SubscriberCounts = { offered: 0, delivered: 0, overflowed: 0, disconnected: 0, queued: 0 };

function add(a: SubscriberCounts, b: SubscriberCounts): SubscriberCounts {
  return {
    offered: a.offered + b.offered,
    delivered: a.delivered + b.delivered,
    overflowed: a.overflowed + b.overflowed,
    disconnected: a.disconnected + b.disconnected,
    queued: a.queued + b.queued,
  };
}
