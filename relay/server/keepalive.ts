import type { ServerHttp2Session } from "node:http2";
import type { Clock } from "../../lib/process/clock.ts";

export interface KeepaliveOptions {
  /** Between the end of one PING and the start of the next. */
  readonly intervalMs: number;
  /** A client from which nothing at all arrives for this long after a PING is gone. */
  readonly timeoutMs: number;
}

/** Upstream's. */
export const defaultKeepalive: KeepaliveOptions = { intervalMs: 5_000, timeoutMs: 20_000 };

/**
 * Pings the client until the session closes, and hangs up on one that is gone. A session that is destroyed without having
 * closed waits for the other side of its socket: that one is gone, too.
 */
export function keepAlive(
  session: ServerHttp2Session,
  hangUp: () => void,
  options: KeepaliveOptions,
  clock: Clock,
): void {
  let cancel: (() => void) | undefined;
  session.once("close", () => cancel?.());
  const wait = () => {
    cancel = clock.after(options.intervalMs, ping);
  };
  const ping = () => {
    if (session.destroyed) {
      hangUp();
      return;
    }
    watch();
    session.ping((error) => {
      if (error !== null) return;
      cancel?.();
      wait();
    });
  };
  const watch = () => {
    const { bytesRead } = session.socket;
    cancel = clock.after(options.timeoutMs, () => {
      // The answer may be stuck behind a backlog that the client is still taking: its window updates tell.
      if (!session.destroyed && session.socket.bytesRead > bytesRead) watch();
      else hangUp();
    });
  };
  wait();
}
