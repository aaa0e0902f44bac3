import { type FeedId, feeds } from "../feeds.ts";
import type { Consumer } from "./batch.ts";
import type { Hub } from "./hub.ts";

/** Subscribes a consumer to the feeds that are switched on, and only to those, however often that changes. */
export class FeedSwitch {
  readonly #hub: Hub;
  readonly #consumer: Consumer;
  readonly #leave = new Map<FeedId, () => void>();

  constructor(hub: Hub, consumer: Consumer) {
    this.#hub = hub;
    this.#consumer = consumer;
  }

  apply(isOn: Readonly<Record<FeedId, boolean>>): void {
    for (const { id } of feeds) {
      const leave = this.#leave.get(id);
      if (isOn[id] && leave === undefined) this.#leave.set(id, this.#hub.subscribe(id, this.#consumer));
      if (!isOn[id] && leave !== undefined) {
        leave();
        this.#leave.delete(id);
      }
    }
  }
}
