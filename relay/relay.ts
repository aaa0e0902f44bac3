import { createKubeClient } from "../lib/kube/client.ts";
import { loadCluster } from "../lib/kube/credentials.ts";
import type { ListWatchDeps } from "../lib/kube/list-watch.ts";
import type { Clock, Random } from "../lib/process/clock.ts";
import { startProbeServer } from "../lib/process/http.ts";
import type { Log, LogLevel } from "../lib/process/log.ts";
import type { ClusterConfig, RelayConfig } from "./config.ts";
import { AgentDiscovery } from "./discovery/agent-discovery.ts";
import { feeds } from "./feeds.ts";
import { FeedSwitch } from "./hub/feed-switch.ts";
import { Hub } from "./hub/hub.ts";
import { createMetrics } from "./metrics.ts";
import { endpointText } from "./nodes/agent.ts";
import { defaultNodeOptions } from "./nodes/node.ts";
import { NodePool } from "./nodes/node-pool.ts";
import { Slots } from "./nodes/slots.ts";
import { notReady, type Phase } from "./readiness.ts";
import { startServer } from "./server/server.ts";
import { Subscriptions } from "./server/watch.ts";
import { LiveSettings } from "./settings/live-settings.ts";
import type { Settings } from "./settings/settings.ts";
import { watchSettings } from "./settings/watch-settings.ts";
import type { ChunkWriter } from "./sinks/chunk-writer.ts";
import { StdoutSink } from "./sinks/stdout.ts";
import { statusPage } from "./status-page.ts";

/** Bounds that hold until the CR sets them. */
const limits = {
  hub: { pageBytes: 64 * 1024, minIntervalMs: 1 },
  subscriptions: { maxSubscribers: 200, mailboxBytes: 8 * 1024 * 1024, maxWriteBytes: 128 * 1024 },
  stdout: { maxQueueBytes: 16 * 1024 * 1024 },
  dialling: 64,
} as const;

export interface RelayDeps {
  readonly version: string;
  readonly stdout: ChunkWriter;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly setLogLevel?: (level: LogLevel) => void;
}

export interface Relay {
  readonly grpcPort: number;
  readonly httpPort: number;
  /**
   * Stops taking calls and events, hands over what is queued until `deadlineMs` have passed, and ends every stream.
   * Resolves when nothing is left open.
   */
  drain(deadlineMs: number): Promise<void>;
}

/** Puts the relay together, in the order events flow. */
export async function startRelay(config: RelayConfig, deps: RelayDeps): Promise<Relay> {
  const { log, clock, random, version } = deps;
  let phase: Phase = "starting";
  // Closes all of it if the start fails; after it, `drain` does that in its own order.
  await using failed = new AsyncDisposableStack();
  const outer = failed.use(new AsyncDisposableStack());
  const inputs = failed.use(new AsyncDisposableStack());

  const hub = new Hub(limits.hub, clock);
  const nodes = inputs.use(
    new NodePool(defaultNodeOptions, {
      publish: (feed, run, events) => hub.publish(feed, run, events),
      dialling: new Slots(limits.dialling),
      clock,
      random,
      log,
    }),
  );
  const subscriptions = new Subscriptions(limits.subscriptions, hub, clock);
  const stdout = new StdoutSink(limits.stdout, { writer: deps.stdout, clock, log });
  const printed = new FeedSwitch(hub, stdout);
  let discovery: AgentDiscovery | undefined;
  const apply = (settings: Settings) => {
    deps.setLogLevel?.(settings.logLevel);
    printed.apply(settings.stdout);
    discovery?.apply(settings.agents);
  };
  const settings = new LiveSettings(config.settings, { log, onChange: apply });
  apply(settings.current);

  const sources = {
    version,
    hub,
    nodes,
    subscriptions,
    stdout,
    watches: () => discovery?.states ?? [],
    settingsErrors: () => settings.errors,
  };
  const readyz = () => notReady(phase, discovery?.states ?? []);
  // Before anything that takes time, so that probes can tell what it is waiting for.
  const probes = outer.use(
    await startProbeServer({
      port: config.httpPort,
      readyz,
      metrics: createMetrics(sources),
      pages: { "/statusz": () => statusPage(sources) },
      log,
    }),
  );
  const server = failed.use(
    await startServer({ port: config.grpcPort }, { routes: subscriptions.routes(), clock, log }),
  );

  nodes.update(
    "static",
    config.agents.map((endpoint) => ({
      id: `static:${endpointText(endpoint)}`,
      name: endpointText(endpoint),
      endpoints: [endpoint],
    })),
  );
  const cluster = config.cluster === undefined ? undefined : connectToCluster(config.cluster, outer, deps);
  inputs.use(await watchSettings(config, settings, { cluster, clock, log }));
  if (cluster !== undefined && config.discoversPods) {
    discovery = inputs.use(
      new AgentDiscovery(settings.current.agents, cluster, {
        onAgents: (agents) => nodes.update("kubernetes", agents),
        onState: () => server.setServing(readyz().length === 0),
      }),
    );
  }
  phase = "serving";
  server.setServing(readyz().length === 0);
  failed.move();
  const ports = { grpcPort: server.port, httpPort: probes.port };
  log.info("Relay is listening", { version, ...ports, settings: settings.hash });

  return {
    ...ports,
    async drain(deadlineMs) {
      phase = "draining";
      const deadline = AbortSignal.timeout(deadlineMs);
      // First no more events come in, then what came in goes out.
      await inputs.disposeAsync();
      hub.flush();
      await Promise.all([stdout.close(deadline), server.drain(() => subscriptions.drain(), deadline)]);
      await outer.disposeAsync();
      log.info("Relay has drained", {
        feeds: Object.fromEntries(feeds.map(({ id }) => [id, subscriptions.totals(id)])),
      });
    },
  };
}

function connectToCluster(
  { kubeconfig }: ClusterConfig,
  owner: AsyncDisposableStack,
  { version, clock, random, log }: RelayDeps,
): ListWatchDeps {
  const client = createKubeClient(loadCluster({ kubeconfig }), { log, userAgent: `kubearmor-relay/${version}` });
  return { client: owner.use(client), clock, random, log };
}
