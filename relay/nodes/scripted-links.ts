import assert from "node:assert/strict";
import type { Feed, FeedId } from "../feeds.ts";
import { type Endpoint, endpointText } from "./agent.ts";
import type { StreamEnd } from "./grpc-call.ts";
import type { Link, LinkEvents, OpenLink, StreamEvents } from "./link.ts";

/** A stream that a node opened on a scripted link. */
export interface ScriptedStream extends StreamEvents {
  readonly feed: FeedId;
  readonly end: (end: StreamEnd) => void;
  /** Fails instead of ending, as no link should. */
  readonly fail: (error: Error) => void;
}

/** For tests: a connection whose agent does what the test says. */
export class ScriptedLink implements Link {
  readonly events: LinkEvents;
  /** In the order they were asked for, ended ones included. */
  readonly streams: ScriptedStream[] = [];
  readonly #health = Promise.withResolvers<void>();
  isUsable = true;
  isDestroyed = false;
  /** Thrown by `watch` instead of opening a stream. */
  watchError: Error | undefined;

  constructor(events: LinkEvents) {
    this.events = events;
  }

  watch(feed: Feed, events: StreamEvents, signal: AbortSignal): Promise<StreamEnd> {
    if (this.watchError !== undefined) throw this.watchError;
    const { promise, resolve, reject } = Promise.withResolvers<StreamEnd>();
    signal.addEventListener("abort", () => resolve({ kind: "broken", message: "Cancelled" }), { once: true });
    this.streams.push({ ...events, feed: feed.id, end: resolve, fail: reject });
    return promise;
  }

  checkHealth(): Promise<void> {
    return this.#health.promise;
  }

  destroy(): void {
    this.isUsable = false;
    this.isDestroyed = true;
    this.#health.reject(new Error("Destroyed"));
  }

  /** The newest stream of a feed. */
  stream(feed: FeedId): ScriptedStream {
    return this.streams.findLast((stream) => stream.feed === feed) ?? assert.fail(`No stream of ${feed}`);
  }

  asked(feed: FeedId): number {
    return this.streams.filter((stream) => stream.feed === feed).length;
  }

  answerHealth(): void {
    this.#health.resolve();
  }

  failHealth(): void {
    this.#health.reject(new Error("HealthCheck failed"));
  }

  /** The connection goes away. */
  lose(): void {
    this.isUsable = false;
    this.events.onLost(new Error("Agent closed the connection"));
  }
}

export interface ScriptedDial {
  readonly endpoint: string;
  readonly accept: () => ScriptedLink;
  readonly refuse: () => void;
}

/** For tests: stands where connections are opened, and waits to be told how each goes. */
export class ScriptedLinks {
  readonly dials: ScriptedDial[] = [];

  readonly open: OpenLink = (endpoint: Endpoint, events: LinkEvents, signal: AbortSignal) => {
    const { promise, resolve, reject } = Promise.withResolvers<Link>();
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    this.dials.push({
      endpoint: endpointText(endpoint),
      accept() {
        const link = new ScriptedLink(events);
        resolve(link);
        return link;
      },
      refuse: () => reject(new Error("Refused")),
    });
    return promise;
  };

  get last(): ScriptedDial {
    return this.dials.at(-1) ?? assert.fail("Nothing was dialled");
  }
}
