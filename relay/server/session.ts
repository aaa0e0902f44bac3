import { constants, type ServerHttp2Session } from "node:http2";
import type { Clock } from "../../lib/process/clock.ts";
import { errorText, type Log } from "../../lib/process/log.ts";
import { keepAlive, type KeepaliveOptions } from "./keepalive.ts";
import { PingGuard } from "./ping-guard.ts";

export interface SessionOptions {
  readonly keepalive: KeepaliveOptions;
  /** For the client's first SETTINGS: a connection that never speaks HTTP/2 must not hold a place. */
  readonly handshakeMs: number;
}

/** A PING frame: 9 bytes of header, 8 of payload. */
const pingBytes = 17;

/** Defends a new connection against clients that are silent, gone, noisy or broken. Nothing it does can throw later. */
export function guardSession(
  session: ServerHttp2Session,
  hangUp: () => void,
  options: SessionOptions,
  clock: Clock,
  log: Log,
): void {
  const { socket } = session;
  const cancelHandshake = clock.after(options.handshakeMs, hangUp);
  // From then on the client can answer. One without calls takes a place too, so it is pinged all the same, as upstream does.
  session.once("remoteSettings", () => {
    cancelHandshake();
    keepAlive(session, hangUp, options.keepalive, clock);
  });
  session.once("close", cancelHandshake);
  // Node destroys the session by itself; garbage on the port is a client's fault and no news.
  session.on("error", (error) => log.debug("Connection failed", { error: errorText(error) }));
  const guard = new PingGuard(clock);
  let answeredBytes = 0;
  session.on("ping", () => {
    if (session.destroyed) return;
    const isFlood = guard.isFlood(socket.bytesWritten - answeredBytes);
    answeredBytes += pingBytes;
    if (!isFlood) return;
    log.debug("Connection closed: too many pings");
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from("too_many_pings"));
    session.destroy();
  });
}
