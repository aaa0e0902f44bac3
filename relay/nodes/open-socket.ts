import { connect, type OnReadOpts, type Socket } from "node:net";
import type { Clock } from "../../lib/process/clock.ts";
import { type Endpoint, endpointText } from "./agent.ts";

/** What the bytes of a connection travel in. */
export interface Transport {
  readonly scheme: "http" | "https";
  /** Starts to connect. What comes goes to `onread`. */
  readonly connect: (endpoint: Endpoint, onread: OnReadOpts) => Socket;
  /** The socket's event that says that both sides may talk. */
  readonly readyEvent: "connect" | "secureConnect";
}

export const plaintext: Transport = {
  scheme: "http",
  connect: ({ host, port }, onread) => connect({ host, port, onread, noDelay: true }),
  readyEvent: "connect",
};

export interface OpenSocketDeps {
  readonly clock: Clock;
  /** Called as soon as the socket is up, before anything can come of it. */
  readonly onOpen: () => void;
}

/** Waits until a socket is up. @throws when it is not in `deadlineMs`, or `signal.reason`; it is destroyed then. */
export function openSocket(
  socket: Socket,
  { endpoint, readyEvent, deadlineMs }: Pick<Transport, "readyEvent"> & { endpoint: Endpoint; deadlineMs: number },
  { clock, onOpen }: OpenSocketDeps,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const target = endpointText(endpoint);
    const settle = () => {
      cancelDeadline();
      socket.off(readyEvent, succeed);
      socket.off("error", fail);
      socket.off("close", closed);
      signal.removeEventListener("abort", abort);
    };
    const succeed = () => {
      settle();
      onOpen();
      resolve();
    };
    const giveUp = (error: Error) => {
      settle();
      // A destroyed socket may still report why; nobody is interested any more.
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    const fail = (cause: Error) => giveUp(new Error(`Cannot connect to ${target}`, { cause }));
    const closed = () => giveUp(new Error(`Cannot connect to ${target}: it hung up`));
    const abort = () => giveUp(signal.reason as Error);
    const cancelDeadline = clock.after(deadlineMs, () =>
      giveUp(new Error(`Cannot connect to ${target} in ${deadlineMs} ms`)),
    );
    socket.once(readyEvent, succeed);
    socket.once("error", fail);
    socket.once("close", closed);
    signal.addEventListener("abort", abort, { once: true });
  });
}
