import type { BackoffOptions } from "../../lib/process/backoff.ts";
import type { Clock, Random } from "../../lib/process/clock.ts";
import type { Log } from "../../lib/process/log.ts";
import type { FeedId } from "../feeds.ts";
import type { Slots } from "./slots.ts";

export interface NodeOptions {
  readonly connectDeadlineMs: number;
  readonly healthDeadlineMs: number;
  /** A dial that takes longer goes on without its slot: agents that hang must not keep others from being dialled. */
  readonly dialSlotMs: number;
  /** No frame of any kind for this long = dead: an idle agent pings every second. */
  readonly silenceMs: number;
  /**
   * Bounds of the wait between two connections, which is at most as long as the agent has been missed, and before a stream
   * is tried again that the agent refuses to serve.
   */
  readonly reconnect: BackoffOptions;
  /**
   * Bounds of the wait before a broken stream is opened again on its connection. Short: it costs two frames, while a
   * process whose events end the stream (text that is not UTF-8 does) could otherwise blind the relay to its node.
   */
  readonly reopen: BackoffOptions;
  /** A connection that was healthy for this long starts again from the first wait. */
  readonly stableMs: number;
  /** The same for a connection that delivered events: long enough that an agent that cuts every time is not hammered. */
  readonly usefulMs: number;
  /** How long an agent that announced its end may go on sending on open streams. */
  readonly goawayGraceMs: number;
}

export const defaultNodeOptions: NodeOptions = {
  connectDeadlineMs: 5_000,
  healthDeadlineMs: 5_000,
  dialSlotMs: 1_000,
  silenceMs: 20_000,
  reconnect: { initialMs: 500, maxMs: 30_000 },
  reopen: { initialMs: 50, maxMs: 1_000 },
  stableMs: 60_000,
  usefulMs: 5_000,
  goawayGraceMs: 5_000,
};

export interface NodeDeps {
  readonly publish: (feed: FeedId, run: Buffer, events: number) => void;
  /** What an event may wait for others that come soon. */
  readonly wakeUpIntervalMs?: (() => number) | undefined;
  /** Bounds how many nodes dial at a time. */
  readonly dialling: Slots;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}
