import { type FeedId, feeds } from "../feeds.ts";
import type { Consumer } from "./batch.ts";
import type { Hub } from "./hub.ts";
import type { Membership } from "./membership.ts";

/** Subscribes a consumer to the feeds that are switched on, and only to those, however often that changes. */
export class FeedSwitch {
  readonly #hub: Hub;
  readonly #consumer: Consumer;
  readonly #memberships = new Map<FeedId, Membership>();
  /** What it must have been offered in memberships that have ended. */
  readonly #expectedBefore = new Map<FeedId, number>();

  constructor(hub: Hub, consumer: Consumer) {
    this.#hub = hub;
    this.#consumer = consumer;
  }

  apply(isOn: Readonly<Record<FeedId, boolean>>): void {
    for (const { id } of feeds) {
      const membership = this.#memberships.get(id);
      if (isOn[id] && membership === undefined) this.#memberships.set(id, this.#hub.subscribe(id, this.#consumer));
      if (!isOn[id] && membership !== undefined) {
        membership.leave();
        this.#memberships.delete(id);
        this.#expectedBefore.set(id, (this.#expectedBefore.get(id) ?? 0) + membership.expected);
      }
    }
  }

  /** Feeds that are on now. */
  get on(): readonly FeedId[] {
    return [...this.#memberships.keys()];
  }

  /** Events of a feed that the consumer must have been offered so far. */
  expected(feed: FeedId): number {
    return (this.#expectedBefore.get(feed) ?? 0) + (this.#memberships.get(feed)?.expected ?? 0);
  }
}
