/** The whole product on a cluster, in one command: `make run`. */
import { setTimeout as pause } from "node:timers/promises";
import { errorText } from "../../lib/process/log.ts";
import { buildImages, DEFAULT_PREFIX, programNames } from "../images/images.ts";
import { openCluster } from "../testbed/cluster/choose.ts";
import type { Cluster } from "../testbed/cluster/cluster.ts";
import { testbedPaths } from "../testbed/config.ts";
import { changedConditions, isReady, type Observed, parseObserved } from "./conditions.ts";
import { diagnose } from "./diagnose.ts";
import { clip, isEventLine } from "./events.ts";
import { hints } from "./hints.ts";
import { applySample, CRDS, createNamespace, installOperator, NAMESPACE, RELAY } from "./install.ts";
import { relayLines } from "./logs.ts";
import { parseOptions, type RunOptions, USAGE } from "./options.ts";

const READY_TIMEOUT_MS = 120_000;
const EVENTS_TIMEOUT_MS = 60_000;
const SHOWN_EVENTS = 5;
const startedMs = performance.now();

function say(text: string): void {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`\n==> ${text} (${seconds} s)\n`);
}

async function runAll(options: RunOptions, signal: AbortSignal): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const prefix = options.cluster.imagePrefix ?? DEFAULT_PREFIX;
  // Built while the cluster starts.
  const archive = buildImages(programNames, { cache: testbedPaths().cache, prefix });
  // It is awaited below, where its failure is told; until then it must not end the process.
  archive.catch(() => {});
  const cluster = stack.use(await openCluster({ ...options.cluster, crds: [CRDS] }));
  try {
    say(`Cluster: ${cluster.title}`);
    signal.throwIfAborted();
    await cluster.loadImages([await archive]);
    say("Images are built and loaded");
    await showAll(cluster, options, stack, signal);
  } catch (error) {
    if (!signal.aborted) process.stderr.write(`\n${await diagnose(cluster)}`);
    throw error;
  } finally {
    say("Removing what was started");
  }
}

async function showAll(
  cluster: Cluster,
  options: RunOptions,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<void> {
  stack.use(await installOperator(cluster, signal));
  say("The operator is ready");
  stack.use(await createNamespace(cluster, signal));
  const load = { count: options.agents, alertsPerSecond: options.alertsPerSecond, logsPerSecond: 1 };
  stack.use(await cluster.startAgents(NAMESPACE, load));
  say(`${options.agents} simulated agents stream events`);

  stack.use(await applySample(cluster, signal));
  say(`${RELAY} is applied; its conditions as they change:`);
  await watchUntilReady(cluster, signal);
  say("Ready. Events of the agents, from the relay's pod:");
  await showEvents(
    cluster,
    { past: 100, count: SHOWN_EVENTS },
    AbortSignal.any([signal, AbortSignal.timeout(EVENTS_TIMEOUT_MS)]),
  );
  if (options.once) return;
  process.stdout.write(`${hints(cluster, await endpointOf(cluster))}\nMore events, until Ctrl-C:\n\n`);
  await showEvents(cluster, { past: 0, count: Infinity }, signal);
}

async function watchUntilReady(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  let before: Observed["conditions"] = [];
  for (;;) {
    const json = await cluster.kubectl(["-n", NAMESPACE, "get", RELAY, "-o", "json"], { signal });
    const observed = parseObserved(json);
    for (const line of changedConditions(before, observed.conditions)) process.stdout.write(`    ${line}\n`);
    before = observed.conditions;
    if (isReady(observed)) return;
    if (performance.now() > deadlineMs)
      throw new Error(`Cannot see ${RELAY} become Ready within ${READY_TIMEOUT_MS / 1000} s`);
    await pause(200, undefined, { signal });
  }
}

async function showEvents(cluster: Cluster, show: { past: number; count: number }, signal: AbortSignal): Promise<void> {
  let shown = 0;
  for await (const line of relayLines(cluster, show.past, signal)) {
    if (!isEventLine(line)) continue;
    process.stdout.write(`    ${clip(line, (process.stdout.columns ?? 200) - 4)}\n`);
    if (++shown >= show.count) return;
  }
  throw new Error(`Cannot show events: ${shown} came of ${show.count}`, { cause: signal.reason });
}

async function endpointOf(cluster: Cluster): Promise<string> {
  const address = "jsonpath={.spec.clusterIP}:{.spec.ports[0].port}";
  return cluster.kubectl(["-n", NAMESPACE, "get", "service", "kubearmor", "-o", address]);
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      // What was started ends with this process, so an impatient second Ctrl-C leaves nothing behind either.
      if (stop.signal.aborted) process.exit(130);
      stop.abort(new Error(`Ended by ${name}`));
    });
  }
  try {
    await runAll(options, stop.signal);
  } catch (error) {
    // Ctrl-C is how this ends when all is well.
    if (!stop.signal.aborted) throw error;
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`\n${errorText(error)}\n`);
  process.exitCode = 1;
});
