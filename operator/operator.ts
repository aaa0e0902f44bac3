import packageJson from "../package.json" with { type: "json" };
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { Registry } from "prom-client";
import { applyDifferences } from "../lib/kube/apply.ts";
import { createKubeClient } from "../lib/kube/client.ts";
import type { Cluster } from "../lib/kube/cluster.ts";
import { type EventRecorder, createEventRecorder } from "../lib/kube/events.ts";
import { type Election, defaultElectionTimes, startElection } from "../lib/kube/lease.ts";
import { startListWatch } from "../lib/kube/list-watch.ts";
import type { Clock, Random } from "../lib/process/clock.ts";
import { startProbeServer } from "../lib/process/http.ts";
import type { Log } from "../lib/process/log.ts";
import { collectProcessMetrics } from "../lib/process/process-metrics.ts";
import { apiVersion, relayKind, relayResource } from "./api/relay.ts";
import type { OperatorConfig } from "./config.ts";
import { runController } from "./engine/controller.ts";
import { createControllerMetrics } from "./engine/metrics.ts";
import { WorkQueue, defaultQueueOptions } from "./engine/queue.ts";
import { Liveness } from "./liveness.ts";
import { createOperatorMetrics } from "./metrics.ts";
import { leaseName } from "./permissions.ts";
import { fencedClient } from "./reconcile/fence.ts";
import { type ReconcilerDeps, type ReconcilerOptions, createReconciler } from "./reconcile/reconciler.ts";
import { createEventAgeMetric, createRelayMetrics } from "./relay-metrics.ts";
import { Caches, type CachesOptions } from "./watch/caches.ts";
import { parseKey } from "./watch/keys.ts";

export type OperatorOptions = Pick<
  OperatorConfig,
  "namespaces" | "httpPort" | "relayImage" | "leaderElect" | "leaseNamespace" | "concurrency"
> &
  Partial<Pick<OperatorConfig, "dryRun" | "clusterRights" | "leaseTimes">> &
  Pick<ReconcilerOptions, "recheckBlockedMs"> &
  Pick<CachesOptions, "watchSeconds">;

export interface OperatorDeps {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface Operator extends AsyncDisposable {
  /** Of livez, readyz and metrics. */
  readonly httpPort: number;
  /** Resolves when this process leads and reconciles. */
  readonly working: Promise<void>;
  /** Resolves after dispose; rejects when the lease was lost, after which nothing is written any more. */
  readonly ended: Promise<void>;
}

const userAgent = `kubearmor-relay-operator/${packageJson.version}`;
const reconcileTimeoutMs = 60_000;
/** As controller-runtime. */
const resyncMs = 10 * 3_600_000;

/** Starts all parts of the operator. Caches fill before the lease is held, so that a standby takes over at once. */
export async function startOperator(options: OperatorOptions, deps: OperatorDeps): Promise<Operator> {
  const { cluster, clock, random, log } = deps;
  await using opened = new AsyncDisposableStack();
  const metrics = new Registry();
  collectProcessMetrics(metrics);
  const operatorMetrics = createOperatorMetrics(metrics, log);
  const client = opened.use(createKubeClient(cluster, { log, userAgent, metrics, clock, random }));

  const controllerMetrics = createControllerMetrics(metrics, "kubearmorrelay", options.concurrency, clock);
  const queue = new WorkQueue(defaultQueueOptions, clock, controllerMetrics.queue);
  const liveness = opened.use(new Liveness({ reconcileTimeoutMs }, clock));
  const caches = opened.use(
    new Caches(options, {
      startListWatch: (listWatch) =>
        liveness.watch(listWatch, (watched) => startListWatch(watched, { client, clock, random, log })),
      enqueue: (key, priority) => queue.add(key, priority),
      onRestart: (kind, reason) => operatorMetrics.onWatchRestart(kind, reason),
    }),
  );
  const probes = opened.use(
    await startProbeServer({
      port: options.httpPort,
      readyz: () => caches.problems(),
      livez: () => liveness.problems(),
      metrics,
      log,
    }),
  );
  const identity = `${hostname()}_${randomUUID()}`;
  const { dryRun = false, clusterRights = true } = options;
  // One that writes nothing need not be the only one.
  const election = options.leaderElect && !dryRun ? opened.use(elect(options, identity, deps)) : undefined;
  const isLeader = () => election?.mayWrite() ?? true;
  const writer = fencedClient(client, () => !dryRun && isLeader());
  createRelayMetrics(metrics, { relays: () => caches.relays(), isLeader });
  createEventAgeMetric(metrics, () => liveness.eventAgesMs());
  const reporter = { controller: "operator.kubearmor.com/relay-operator", instance: hostname() };
  const recorder = opened.use(
    createEventRecorder(reporter, {
      client: writer,
      clock,
      random,
      log,
      onOutcome: (outcome) => operatorMetrics.onEvent(outcome),
    }),
  );
  const reconciler = createReconciler(
    {
      defaultImage: options.relayImage,
      dryRun,
      reach: clusterRights ? undefined : options.namespaces,
      recheckBlockedMs: options.recheckBlockedMs,
    },
    {
      view: caches,
      client: writer,
      wrote: (resource, object) => caches.wrote(resource, object),
      differences: (live, desired, manager) => applyDifferences(live, desired, manager).map(({ path }) => path),
      clock,
      log,
      record: relayEvents(recorder),
      onWrite: (write) => operatorMetrics.onWrite(write),
      onDrift: (write) => operatorMetrics.onDrift(write),
    },
  );

  const stopping = new AbortController();
  const working = Promise.withResolvers<void>();
  let loss: Error | undefined;
  void election?.lost.then((error) => {
    loss = error;
    operatorMetrics.setLeader(false);
    stopping.abort(error);
  });
  const run = async () => {
    await Promise.race([Promise.all([election?.acquired, caches.synced]), whenAborted(stopping.signal)]);
    if (!stopping.signal.aborted) {
      operatorMetrics.setLeader(true);
      log.info("Reconciling", { namespaces: options.namespaces, concurrency: options.concurrency });
      working.resolve();
    }
    const exists = (key: string) => caches.get(relayResource, parseKey(key)) !== undefined;
    const controller = {
      queue,
      reconcile: liveness.around(reconciler),
      exists,
      clock,
      random,
      log,
      metrics: controllerMetrics,
    };
    await runController(
      { concurrency: options.concurrency, reconcileTimeoutMs, resyncMs },
      controller,
      stopping.signal,
    );
    working.reject(new Error("The operator was stopped"));
    if (loss !== undefined) throw loss;
  };
  // Whoever waits for neither must not be ended by a rejection.
  working.promise.catch(() => {});
  const ended = run();
  ended.catch(() => {});
  const resources = opened.move();
  return {
    httpPort: probes.port,
    working: working.promise,
    ended,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await ended.catch(() => {
        // Whoever waits for `ended` is told; what is open has to be closed all the same.
      });
      await resources[Symbol.asyncDispose]();
    },
  };
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** A client of its own: renewals must not wait behind other requests. */
function elect(options: OperatorOptions, identity: string, deps: OperatorDeps): Election {
  const { cluster, clock, random, log } = deps;
  const client = createKubeClient(cluster, { log, userAgent, clock, random });
  const namespace = options.leaseNamespace ?? cluster.currentNamespace;
  const times = options.leaseTimes ?? defaultElectionTimes;
  const election = startElection(
    // A standby has nothing else to do, and relays wait for it.
    { namespace, name: leaseName, identity, ...times, lookPeriodMs: times.retryPeriodMs / 2 },
    { client, clock, random, log },
  );
  return {
    acquired: election.acquired,
    lost: election.lost,
    mayWrite: () => election.mayWrite(),
    async [Symbol.asyncDispose]() {
      await election[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
    },
  };
}

function relayEvents(recorder: EventRecorder): ReconcilerDeps["record"] {
  return ({ metadata }, transition) => {
    const { name, namespace, uid, resourceVersion } = metadata;
    const regarding = {
      apiVersion,
      kind: relayKind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
    recorder.record({ regarding, action: "Reconcile", ...transition });
  };
}
