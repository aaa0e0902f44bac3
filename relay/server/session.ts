import { constants, type ServerHttp2Session } from "node:http2";
import type { Clock } from "../../lib/process/clock.ts";
import { errorText, type Log } from "../../lib/process/log.ts";
import { TokenBucket } from "../../lib/process/token-bucket.ts";
import type { ConnectionEnd } from "./connection-counts.ts";
import { receivedLimit, receivedShare, resetLimit, settingsLimit } from "./flood-limits.ts";
import { keepAlive, type KeepaliveOptions } from "./keepalive.ts";
import { PingGuard } from "./ping-guard.ts";

export interface SessionOptions {
  readonly keepalive: KeepaliveOptions;
  /** For the client's first SETTINGS: a connection that never speaks HTTP/2 must not hold a place. */
  readonly handshakeMs: number;
}

export interface SessionDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Closes session and socket at once. */
  readonly hangUp: () => void;
  /** Called once, when the session has closed. */
  readonly onEnd: (end: ConnectionEnd) => void;
}

/** A PING frame: 9 bytes of header, 8 of payload. */
const pingBytes = 17;
/** Between two looks at how much has come in. */
const lookMs = 1_000;

/** What gRPC servers say to a client that overdoes it; its library reads `too_many_pings` and pings less. */
const floods = {
  pings: "too_many_pings",
  resets: "too_many_resets",
  settings: "too_many_settings",
  bytes: "too_many_bytes",
};

/** Defends a new connection against clients that are silent, gone, noisy or broken. Nothing it does can throw later. */
export function guardSession(session: ServerHttp2Session, options: SessionOptions, deps: SessionDeps): void {
  const { clock, log, hangUp, onEnd } = deps;
  const { socket } = session;
  let end: ConnectionEnd = "client";
  const hangUpFor = (reason: ConnectionEnd) => () => {
    end = reason;
    hangUp();
  };
  const calm = (flood: keyof typeof floods) => {
    if (session.destroyed) return;
    end = flood;
    log.debug("Connection closed: it does too much", { flood });
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from(floods[flood]));
    session.destroy();
  };
  const cancelHandshake = clock.after(options.handshakeMs, hangUpFor("handshake"));
  // From then on the client can answer. One without calls takes a place too, so it is pinged all the same, as upstream does.
  session.once("remoteSettings", () => {
    cancelHandshake();
    keepAlive(session, hangUpFor("silent"), options.keepalive, clock);
  });
  // Node destroys the session by itself; garbage on the port is a client's fault and no news.
  session.on("error", (error: Error) => {
    if (isProtocolError(error)) end = "protocol";
    log.debug("Connection failed", { error: errorText(error) });
  });
  session.once("close", () => {
    cancelHandshake();
    cancelLook();
    onEnd(end);
  });

  const pings = new PingGuard(clock);
  let answeredBytes = 0;
  session.on("ping", () => {
    if (session.destroyed) return;
    const isFlood = pings.isFlood(socket.bytesWritten - answeredBytes);
    answeredBytes += pingBytes;
    if (isFlood) calm("pings");
  });
  const settings = new TokenBucket(settingsLimit, clock);
  session.on("remoteSettings", () => {
    if (!settings.take()) calm("settings");
  });
  const resets = new TokenBucket(resetLimit, clock);
  session.on("stream", (stream) => {
    stream.once("close", () => {
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR && !resets.take()) calm("resets");
    });
  });
  const received = new TokenBucket(receivedLimit, clock);
  let [readBytes, writtenBytes] = [0, 0];
  const look = () => {
    if (session.destroyed) return;
    const { bytesRead, bytesWritten } = socket;
    const answers = (bytesWritten - writtenBytes) * receivedShare;
    const isFlood = !received.take(Math.max(0, bytesRead - readBytes - answers));
    [readBytes, writtenBytes] = [bytesRead, bytesWritten];
    if (isFlood) calm("bytes");
    else cancelLook = clock.after(lookMs, look);
  };
  let cancelLook = clock.after(lookMs, look);
}

function isProtocolError(error: Error): boolean {
  return "code" in error && typeof error.code === "string" && error.code.startsWith("ERR_HTTP2_");
}
