import type { Feed } from "../feeds.ts";
import type { RunSink } from "../wire/frame-cutter.ts";
import type { Endpoint } from "./agent.ts";
import type { StreamEnd } from "./grpc-call.ts";

/** A connection to an agent: all that the rest needs of HTTP/2. */
export interface Link {
  /** Whether it takes new streams. */
  readonly isUsable: boolean;
  /** Opens a feed's stream and hands on its events until it ends. Aborting `signal` cancels it. */
  watch(feed: Feed, events: StreamEvents, signal: AbortSignal): Promise<StreamEnd>;
  /** @throws when the agent does not answer as one does, or not in time. */
  checkHealth(): Promise<void>;
  /** Hangs up: everything on it ends. */
  destroy(): void;
}

export interface StreamEvents {
  readonly onRun: RunSink;
  /** The agent has answered, and not with the stream's end. */
  readonly onAnswer: () => void;
}

export interface LinkEvents {
  /** Something came, a ping as well as an event. */
  readonly onHeard: () => void;
  readonly onLost: (reason: Error) => void;
  /** The agent announced the connection's end. */
  readonly onGoaway: (code: number) => void;
}

/** @throws when the agent cannot be connected to, or `signal.reason`. */
export type OpenLink = (endpoint: Endpoint, events: LinkEvents, signal: AbortSignal) => Promise<Link>;
