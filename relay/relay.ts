import type { Clock, Random } from "../lib/process/clock.ts";
import { startProbeServer } from "../lib/process/http.ts";
import type { Log, LogLevel } from "../lib/process/log.ts";
import { connectToCluster } from "./cluster.ts";
import type { RelayConfig } from "./config.ts";
import { AgentDiscovery } from "./discovery/agent-discovery.ts";
import { staticAgents } from "./discovery/static-agents.ts";
import { Enricher } from "./enrich/enricher.ts";
import { Enrichment } from "./enrich/enrichment.ts";
import { feeds } from "./feeds.ts";
import { Hub } from "./hub/hub.ts";
import { createMetrics, type MetricSources } from "./metrics.ts";
import { EventLoopDelay } from "./ledger/event-loop-delay.ts";
import { defaultNodeOptions } from "./nodes/node.ts";
import { NodePool } from "./nodes/node-pool.ts";
import { Slots } from "./nodes/slots.ts";
import { startPrinting } from "./printing.ts";
import { startReport } from "./report/start-report.ts";
import type { Reporter } from "./report/reporter.ts";
import { notReady, type Phase, seesAgents } from "./readiness.ts";
import { type RelayServer, startServer } from "./server/server.ts";
import { Subscriptions } from "./server/watch.ts";
import { LiveSettings } from "./settings/live-settings.ts";
import type { Settings } from "./settings/settings.ts";
import { watchSettings } from "./settings/watch-settings.ts";
import type { ChunkWriter } from "./sinks/chunk-writer.ts";
import { statusPage } from "./status-page.ts";

/** What no setting changes. */
const fixed = {
  hub: { pageBytes: 64 * 1024, minIntervalMs: 1 },
  subscriptions: { maxWriteBytes: 128 * 1024 },
  stdout: { maxQueueBytes: 16 * 1024 * 1024 },
  // Who reads lines does so from a file, later: what is only printed may wait for more of its kind.
  wakeUpMs: { subscribers: 2, noSubscriber: 4 },
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

  const cluster = config.cluster === undefined ? undefined : outer.use(connectToCluster(config.cluster, deps));

  const watchRestarts = new Map<string, number>();
  const onRestart = (reason: string) => watchRestarts.set(reason, (watchRestarts.get(reason) ?? 0) + 1);

  const enricher = new Enricher();
  const enrichment = inputs.use(new Enrichment(enricher, cluster?.watching, { onRestart }));
  const hub = new Hub(fixed.hub, clock);
  const nodes = inputs.use(
    new NodePool(defaultNodeOptions, {
      publish: (feed, run, events) => hub.publish(feed, enricher.apply(feed, run, events), events),
      wakeUpIntervalMs: () => (subscriptions.size === 0 ? fixed.wakeUpMs.noSubscriber : fixed.wakeUpMs.subscribers),
      dialling: new Slots(fixed.dialling),
      clock,
      random,
      log,
    }),
  );
  const subscriptions = new Subscriptions({ ...fixed.subscriptions, ...config.settings.limits }, hub, clock);
  let discovery: AgentDiscovery | undefined;
  const readyz = () => notReady(phase, discovery);
  const isReceiving = () => readyz().length === 0 && seesAgents(discovery) && nodes.hasAllStreams;
  const printing = startPrinting(
    { ...fixed.stdout, lease: config.lease, identity: config.identity },
    { writer: deps.stdout, hub, newClient: cluster?.newClient, isReceiving, clock, random, log },
  );
  failed.defer(() => printing.drain(AbortSignal.abort()));
  const apply = ({ logLevel, stdout, clusterName, enrichment: { remoteHost }, limits, agents }: Settings) => {
    deps.setLogLevel?.(logLevel);
    printing.apply(stdout);
    enrichment.apply({ clusterName, remoteHost });
    hub.budget.configure(limits.bufferBytes);
    subscriptions.configure(limits);
    discovery?.apply(agents);
  };
  let reporter: Reporter | undefined;
  const settings = new LiveSettings(config.settings, {
    log,
    onChange: apply,
    onWord: (source) => {
      // The file is a late echo of the ConfigMap.
      if (source === "configMap") reporter?.onSettings();
    },
  });

  let server: RelayServer | undefined;
  let ports: { readonly grpcPort: number; readonly httpPort: number } | undefined;
  const sources: MetricSources = {
    version,
    hub,
    nodes,
    subscriptions,
    stdout: printing,
    stdoutExpected: (feed) => printing.expected(feed),
    stdoutLeader: () => printing.turns,
    watches: () => discovery?.states ?? [],
    watchRestarts: () => watchRestarts,
    settingsErrors: () => settings.errors,
    settingsHash: () => settings.hash,
    report: () => reporter?.status,
    enrichment: (feed) => enricher.counts(feed),
    hostWatches: () => enrichment.states,
    hosts: () => enrichment.hosts,
    server: () => server?.counts(),
    ports: () => (ports === undefined ? undefined : { ...ports }),
    eventLoop: outer.use(new EventLoopDelay(clock)),
  };
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
  const listening = failed.use(
    await startServer({ port: config.grpcPort }, { routes: subscriptions.routes(), clock, log }),
  );
  server = listening;
  ports = { grpcPort: listening.port, httpPort: probes.port };
  const tellReady = () => listening.setServing(readyz().length === 0);

  // Before the first agent is asked for events, so that none of them meets anything but the newest settings.
  inputs.use(await watchSettings(config, settings, { cluster: cluster?.watching, clock, log, onRestart }));
  apply(settings.current);
  nodes.update("static", staticAgents(config.agents));
  if (cluster !== undefined && config.discoversPods) {
    discovery = inputs.use(
      new AgentDiscovery(settings.current.agents, cluster.watching, {
        onAgents: (agents) => nodes.update("kubernetes", agents),
        onState: tellReady,
        onRestart,
      }),
    );
  }
  phase = "serving";
  tellReady();
  if (config.report !== undefined && cluster !== undefined) {
    reporter = inputs.use(
      startReport(config.report, {
        version,
        settings,
        printing,
        nodes,
        subscriptions,
        client: cluster.client,
        clock,
        random,
        log,
        isReady: () => readyz().length === 0,
        discovery: () => discovery?.states ?? [],
      }),
    );
  }
  failed.move();
  log.info("Relay is listening", { version, ...ports, settings: settings.hash });

  return {
    ...ports,
    async drain(deadlineMs) {
      phase = "draining";
      const deadline = AbortSignal.timeout(deadlineMs);
      // First no more events come in, then what came in goes out.
      printing.endInput();
      await inputs.disposeAsync();
      hub.flush();
      await Promise.all([printing.drain(deadline), listening.drain(() => subscriptions.drain(), deadline)]);
      await outer.disposeAsync();
      log.info("Relay has drained", {
        feeds: Object.fromEntries(feeds.map(({ id }) => [id, subscriptions.totals(id)])),
      });
    },
  };
}
