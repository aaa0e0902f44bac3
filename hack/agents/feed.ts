import type { Random } from "../../lib/process/clock.ts";
import type { FeedName } from "./contract.ts";
import type { Template } from "./encoder.ts";
import { encodeTime, fill, makeTemplate } from "./encoder.ts";
import { markPrefix, markText, nowMicros } from "./mark.ts";
import { pick } from "./random.ts";
import type { Place } from "./scenes.ts";
import { makeScenes } from "./scenes.ts";
import type { EventWriter, SubscriberCounts } from "./subscriber.ts";
import { Subscriber } from "./subscriber.ts";

export interface FeedCounts {
  /** Also the number of the last event. */
  readonly produced: number;
  /** Produced while nobody was subscribed: an agent keeps nothing for later. */
  readonly unwatched: number;
  /** Sums over all subscribers there ever were. */
  readonly sent: number;
  readonly dropped: number;
  readonly abandoned: number;
  /** Those of now, and the last that left. */
  readonly subscribers: readonly SubscriberCounts[];
}

export interface FeedOptions {
  readonly feed: FeedName;
  readonly agent: string;
  readonly epoch: string;
  readonly place: Place;
}

const keptOfThePast = 20;

/** One stream of one life of an agent: makes its events, numbers them and hands them to whoever is subscribed. */
export class AgentFeed {
  readonly #prefix: string;
  readonly #templates: [Template, ...Template[]];
  readonly #random: Random;
  readonly #subscribers = new Set<Subscriber>();
  #past: SubscriberCounts[] = [];
  #pastSums = { sent: 0, dropped: 0, abandoned: 0 };
  #lastId = 0;
  #produced = 0;
  #unwatched = 0;

  constructor(options: FeedOptions, random: Random) {
    const { feed, agent, epoch, place } = options;
    this.#prefix = markPrefix(agent, epoch, feed);
    const [first, ...rest] = makeScenes[feed](place, random);
    this.#templates = [makeTemplate(feed, first), ...rest.map((scene) => makeTemplate(feed, scene))];
    this.#random = random;
  }

  get produced(): number {
    return this.#produced;
  }

  get watchers(): number {
    return this.#subscribers.size;
  }

  /** Events of the same call carry the same time. */
  produce(count: number): void {
    const producedUs = nowMicros();
    const time = encodeTime(Math.floor(producedUs / 1000));
    for (let made = 0; made < count; made += 1) {
      this.#produced += 1;
      if (this.#subscribers.size === 0) {
        this.#unwatched += 1;
        continue;
      }
      const mark = markText(this.#prefix, this.#produced, producedUs);
      const event = fill(pick(this.#templates, this.#random), time, mark);
      for (const subscriber of this.#subscribers) subscriber.offer(event);
    }
  }

  /** Bytes that are not an event and have no number, to every subscriber. */
  interject(bytes: Buffer): void {
    for (const subscriber of this.#subscribers) subscriber.interject(bytes);
  }

  subscribe(writer: EventWriter): Subscriber {
    this.#lastId += 1;
    const subscriber = new Subscriber(this.#lastId, writer);
    this.#subscribers.add(subscriber);
    return subscriber;
  }

  /** `unwritten`: events its connection took and will not deliver. */
  unsubscribe(subscriber: Subscriber, unwritten: number): void {
    if (!this.#subscribers.delete(subscriber)) return;
    subscriber.close(unwritten);
    const counts = subscriber.counts();
    this.#pastSums.sent += counts.sent;
    this.#pastSums.dropped += counts.dropped;
    this.#pastSums.abandoned += counts.abandoned;
    this.#past = [...this.#past, counts].slice(-keptOfThePast);
  }

  counts(): FeedCounts {
    const present = [...this.#subscribers].map((subscriber) => subscriber.counts());
    const sum = (key: "sent" | "dropped" | "abandoned") =>
      present.reduce((total, counts) => total + counts[key], this.#pastSums[key]);
    return {
      produced: this.#produced,
      unwatched: this.#unwatched,
      sent: sum("sent"),
      dropped: sum("dropped"),
      abandoned: sum("abandoned"),
      subscribers: [...this.#past, ...present],
    };
  }
}
