import type { ClientHttp2Session } from "node:http2";
import type { Clock, Random } from "../../lib/process/clock.ts";
import { checkHealth } from "./check-health.ts";
import type { LinkEvents, OpenLink } from "./link.ts";
import type { NodeOptions } from "./node-options.ts";
import { openSession } from "./open-session.ts";
import { watchFeed } from "./watch-feed.ts";

export interface Http2LinkDeps {
  readonly clock: Clock;
  readonly random: Random;
}

/** Links over HTTP/2 without TLS. */
export function http2Links(
  { connectDeadlineMs, healthDeadlineMs }: Pick<NodeOptions, "connectDeadlineMs" | "healthDeadlineMs">,
  { clock, random }: Http2LinkDeps,
): OpenLink {
  return async (endpoint, events, signal) => {
    const onOpen = (opened: ClientHttp2Session) => report(opened, events);
    const { session, hangUp } = await openSession(endpoint, connectDeadlineMs, { clock, onOpen }, signal);
    return {
      get isUsable() {
        return !session.closed && !session.destroyed;
      },
      watch: (feed, streamEvents, ended) => watchFeed(session, feed, streamEvents, events.onHeard, ended),
      checkHealth: () => checkHealth(session, randomNonce(random), healthDeadlineMs, clock),
      destroy: hangUp,
    };
  };
}

function report(session: ClientHttp2Session, { onHeard, onLost, onGoaway }: LinkEvents): void {
  session.on("error", (cause) => onLost(new Error("Connection failed", { cause })));
  session.on("close", () => onLost(new Error("Agent closed the connection")));
  session.on("ping", onHeard);
  session.on("goaway", onGoaway);
}

/** Any number does, so long as it differs between agents now and then; one that fits a byte is simple to encode. */
function randomNonce(random: Random): number {
  return 1 + Math.floor(random() * 127);
}
