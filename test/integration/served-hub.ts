import type { TestContext } from "node:test";
import { type Clock, systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { Hub } from "../../relay/hub/hub.ts";
import { type RelayServer, type ServerLimits, startServer } from "../../relay/server/server.ts";
import { Subscriptions } from "../../relay/server/watch.ts";

/** The relay's half that faces clients: what is published at `hub` is served. */
export interface ServedHub {
  readonly hub: Hub;
  readonly subscriptions: Subscriptions;
  readonly server: RelayServer;
}

export interface ServedHubOptions {
  readonly clock?: Clock;
  readonly mailboxBytes?: number;
  readonly bufferBytes?: number;
  readonly maxSubscribers?: number;
  readonly limits?: Partial<ServerLimits>;
}

export async function startServedHub(
  t: TestContext,
  {
    clock = systemClock,
    mailboxBytes = 1024 * 1024,
    bufferBytes = 64 * 1024 * 1024,
    maxSubscribers = 500,
    limits = {},
  }: ServedHubOptions = {},
): Promise<ServedHub> {
  const hub = new Hub({ pageBytes: 64 * 1024, minIntervalMs: 1, bufferBytes }, clock);
  const subscriptions = new Subscriptions({ maxSubscribers, mailboxBytes, maxWriteBytes: 128 * 1024 }, hub, clock);
  const server = await startServer({ port: 0, limits }, { routes: subscriptions.routes(), clock, log: silentLog });
  t.after(() => server[Symbol.asyncDispose]());
  return { hub, subscriptions, server };
}
