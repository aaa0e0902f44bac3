import type { Clock, Random } from "../../lib/process/clock.ts";
import { ClientConnection } from "../http2/client-connection.ts";
import { type Endpoint, endpointText } from "./agent.ts";
import { checkHealth } from "./check-health.ts";
import { HeldWrites } from "./held-writes.ts";
import type { OpenLink } from "./link.ts";
import type { NodeOptions } from "./node-options.ts";
import { openSocket, plaintext, type Transport } from "./open-socket.ts";
import { ReadTurns } from "./read-turns.ts";
import { blockThread, WakeUps } from "./wake-ups.ts";
import { watchFeed } from "./watch-feed.ts";

/**
 * Receive window of a stream, in bytes. An agent queues 1,000 events a stream and then drops in silence: a window of many
 * times that lets a burst leave the agent at the speed of the network.
 */
export const streamWindowBytes = 8 * 1024 * 1024;
export const connectionWindowBytes = 3 * streamWindowBytes;

const connectionOptions = {
  streamWindowBytes,
  connectionWindowBytes,
  // An agent's headers are some hundred bytes, and what it says of an error may be long.
  maxHeaderListBytes: 64 * 1024,
  // Answers to pings and settings, mostly, of which an honest agent wants one a second.
  maxQueuedBytes: 256 * 1024,
};

/** What a millisecond of 100,000 events/s brings: every read costs the same whatever it brings. */
const readBufferBytes = 64 * 1024;
/** About 400 events: well below a millisecond's work. Beyond it, a socket that filled the buffer waits for the next turn. */
const maxTurnBytes = 256 * 1024;

export interface Http2LinkDeps {
  /**
   * What an event may wait for others, to share their wake-up; without it none does. Agents' queues and windows hold many
   * times what comes in some milliseconds.
   */
  readonly wakeUpIntervalMs?: (() => number) | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/** Links over HTTP/2. They read into one buffer, one after the other: what came is dealt with before the next read. */
export function http2Links(
  { connectDeadlineMs, healthDeadlineMs }: Pick<NodeOptions, "connectDeadlineMs" | "healthDeadlineMs">,
  { clock, random, wakeUpIntervalMs = () => 0 }: Http2LinkDeps,
  { scheme, connect, readyEvent }: Transport = plaintext,
): OpenLink {
  const buffer = Buffer.allocUnsafeSlow(readBufferBytes);
  const wakeUps = new WakeUps({ intervalMs: wakeUpIntervalMs }, { clock, sleep: blockThread });
  const turns = new ReadTurns({ maxBytes: maxTurnBytes }, clock);
  return async (endpoint, { onHeard, onLost, onGoaway }, signal) => {
    signal.throwIfAborted();
    const callback = (length: number) => {
      onHeard();
      const hasMore = length === buffer.length;
      wakeUps.onRead(hasMore);
      writes.onRead(hasMore);
      connection.receive(buffer.subarray(0, length));
      return !hasMore || turns.mayReadOn(length, readOn);
    };
    const socket = connect(endpoint, { buffer, callback });
    const readOn = () => {
      if (!isOver) socket.resume();
    };
    const writes = new HeldWrites((bytes) => {
      // Closed by the agent while there was something to say to it.
      if (!socket.writable) return 0;
      socket.write(bytes);
      return socket.writableLength;
    }, clock);
    const feedAnswered = Promise.withResolvers<boolean>();
    let isOver = false;
    /** Returns whether there was anything to end. */
    const hangUp = (reason: Error) => {
      if (isOver) return false;
      isOver = true;
      writes.release();
      connection.close(reason);
      socket.destroy();
      feedAnswered.resolve(false);
      return true;
    };
    const lose = (reason: Error) => {
      if (hangUp(reason)) onLost(reason);
    };
    const write = (bytes: Buffer) => writes.write(bytes);
    const connection = new ClientConnection(connectionOptions, { write, onGoaway, onOver: lose }, clock);
    const onOpen = () => {
      socket.on("error", (cause) => lose(new Error("Connection failed", { cause })));
      socket.on("end", () => lose(new Error("Agent closed the connection")));
      socket.on("close", () => lose(new Error("Agent closed the connection")));
      connection.start();
    };
    await openSocket(socket, { endpoint, readyEvent, deadlineMs: connectDeadlineMs }, { clock, onOpen }, signal);
    const target = { scheme, authority: authorityOf(endpoint) };
    return {
      get isUsable() {
        return connection.isUsable;
      },
      watch: (feed, { onRun, onAnswer }, ended) => {
        const onFeedAnswer = () => {
          feedAnswered.resolve(true);
          onAnswer();
        };
        return watchFeed(connection, target, feed, { onRun, onAnswer: onFeedAnswer }, ended);
      },
      checkHealth: () => {
        const options = {
          nonce: randomNonce(random),
          deadlineMs: healthDeadlineMs,
          feedAnswered: feedAnswered.promise,
        };
        return checkHealth(connection, target, options, clock);
      },
      destroy() {
        hangUp(new Error("The relay hung up"));
      },
    };
  };
}

/** The zone of a link-local address means something to this host only. https://www.rfc-editor.org/rfc/rfc6874#section-4 */
function authorityOf(endpoint: Endpoint): string {
  return endpointText(endpoint).replace(/%[^\]]*/, "");
}

/** Any number does, so long as it differs between agents now and then; one that fits a byte is simple to encode. */
function randomNonce(random: Random): number {
  return 1 + Math.floor(random() * 127);
}
