import { createKubeClient } from "../lib/kube/client.ts";
import { loadCluster } from "../lib/kube/credentials.ts";
import type { ListWatchDeps } from "../lib/kube/list-watch.ts";
import type { WatchState } from "../lib/kube/types.ts";
import type { Clock, Random } from "../lib/process/clock.ts";
import { startProbeServer } from "../lib/process/http.ts";
import type { Log } from "../lib/process/log.ts";
import type { KubernetesDiscovery, RelayConfig } from "./config.ts";
import { type AgentPodWatch, watchAgentPods } from "./discovery/watch-agent-pods.ts";
import { feeds } from "./feeds.ts";
import { FeedSwitch } from "./hub/feed-switch.ts";
import { Hub } from "./hub/hub.ts";
import { createMetrics } from "./metrics.ts";
import { endpointText } from "./nodes/agent.ts";
import { defaultNodeOptions } from "./nodes/node.ts";
import { NodePool } from "./nodes/node-pool.ts";
import { Slots } from "./nodes/slots.ts";
import { startServer } from "./server/server.ts";
import { Subscriptions } from "./server/watch.ts";
import { LiveSettings } from "./settings/live-settings.ts";
import { watchSettingsConfigMap } from "./settings/watch-config-map.ts";
import { watchSettingsFile } from "./settings/watch-file.ts";
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
  let phase: "starting" | "serving" | "draining" = "starting";
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
  const settings = new LiveSettings(config.settings, { log, onChange: (next) => printed.apply(next.stdout) });
  printed.apply(settings.current.stdout);

  let agentPods: AgentPodWatch | undefined;
  const sources = {
    version,
    hub,
    nodes,
    subscriptions,
    stdout,
    watches: () => agentPods?.states ?? [],
    settingsErrors: () => settings.errors,
  };
  const readyz = () => [
    ...(phase === "serving" ? [] : [phase]),
    ...(agentPods?.states ?? []).flatMap(({ namespace, state }) => notSynced(namespace, state)),
  ];
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
  const watching = config.kubernetes === undefined ? undefined : connectToCluster(config.kubernetes, outer, deps);
  if (config.configFile !== undefined) {
    inputs.use(await watchSettingsFile(config.configFile, (text) => settings.set("file", text), log));
  }
  if (watching !== undefined && config.settingsConfigMap !== undefined) {
    inputs.use(watchSettingsConfigMap(config.settingsConfigMap, watching, (text) => settings.set("configMap", text)));
  }
  if (watching !== undefined && config.kubernetes !== undefined) {
    agentPods = inputs.use(
      watchAgentPods(config.kubernetes, watching, {
        onAgents: (agents) => nodes.update("kubernetes", agents),
        onState: () => server.setServing(readyz().length === 0),
      }),
    );
  }
  phase = "serving";
  server.setServing(readyz().length === 0);
  failed.move();
  const ports = { grpcPort: server.port, httpPort: probes.port };
  log.info("Relay is listening", { version, ...ports, stdout: settings.current.stdout });

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
  { kubeconfig }: KubernetesDiscovery,
  owner: AsyncDisposableStack,
  { version, clock, random, log }: RelayDeps,
): ListWatchDeps {
  const client = createKubeClient(loadCluster({ kubeconfig }), { log, userAgent: `kubearmor-relay/${version}` });
  return { client: owner.use(client), clock, random, log };
}

/** Why a watch of agents makes the relay not ready: an empty relay that looks healthy would hide every event. */
function notSynced(namespace: string | undefined, state: WatchState): readonly string[] {
  const where = namespace === undefined ? "all namespaces" : `namespace ${namespace}`;
  switch (state.kind) {
    case "synced":
      return [];
    case "starting":
      return [`discovery: agents in ${where} are not listed yet`];
    case "failing":
      return [`discovery: agents in ${where} cannot be watched (${state.reason}): ${state.error.message}`];
  }
}
