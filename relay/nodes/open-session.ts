import { type ClientHttp2Session, connect } from "node:http2";
import type { Socket } from "node:net";
import type { Clock } from "../../lib/process/clock.ts";
import { type Endpoint, endpointText } from "./agent.ts";

/**
 * Receive window of a stream, in bytes. An agent queues 1,000 events a stream and then drops in silence: a window of many
 * times that lets a burst leave the agent at the speed of the network.
 */
export const streamWindowBytes = 8 * 1024 * 1024;
export const connectionWindowBytes = 3 * streamWindowBytes;

/** A connection and how to end it at once. */
export interface OpenedSession {
  readonly session: ClientHttp2Session;
  /** Closes the socket as well: a session that is closing leaves it open until the agent hangs up, and a frozen one never does. */
  readonly hangUp: () => void;
}

export interface OpenSessionDeps {
  readonly clock: Clock;
  /** Called as soon as the session is up, before anything can come of it. */
  readonly onOpen: (session: ClientHttp2Session) => void;
}

/** Opens an HTTP/2 connection without TLS. @throws when it is not up in `deadlineMs`, or `signal.reason`. */
export function openSession(
  endpoint: Endpoint,
  deadlineMs: number,
  { clock, onOpen }: OpenSessionDeps,
  signal: AbortSignal,
): Promise<OpenedSession> {
  return new Promise((resolve, reject) => {
    const target = endpointText(endpoint);
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const session = connect(`http://${target}`, {
      settings: { enablePush: false, initialWindowSize: streamWindowBytes },
      // Megabytes. What counts is data not yet handed over, and ours is handed over as it comes.
      maxSessionMemory: 64,
    });
    const settle = () => {
      cancelDeadline();
      session.off("connect", succeed);
      session.off("error", fail);
      signal.removeEventListener("abort", abort);
    };
    const succeed = (_session: ClientHttp2Session, socket: Socket) => {
      settle();
      session.setLocalWindowSize(connectionWindowBytes);
      onOpen(session);
      const hangUp = () => {
        session.destroy();
        socket.destroy();
      };
      resolve({ session, hangUp });
    };
    const giveUp = (error: Error) => {
      settle();
      // A destroyed session may still report why; nobody is interested any more.
      session.on("error", () => {});
      session.destroy();
      reject(error);
    };
    const fail = (cause: Error) => giveUp(new Error(`Cannot connect to ${target}`, { cause }));
    const abort = () => giveUp(signal.reason as Error);
    const cancelDeadline = clock.after(deadlineMs, () =>
      giveUp(new Error(`Cannot connect to ${target} in ${deadlineMs} ms`)),
    );
    session.once("connect", succeed);
    session.once("error", fail);
    signal.addEventListener("abort", abort, { once: true });
  });
}
