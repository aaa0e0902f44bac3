import type { Interface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { type AgentFleet, startFleet } from "../../hack/agents/fleet.ts";
import { findMark } from "../../hack/agents/mark.ts";
import { type Checker, startChecker } from "../../hack/check/checker.ts";
import type { createKubeClient } from "../../lib/kube/client.ts";
import { relayResource } from "../../operator/api/relay.ts";
import { conditionOf, type Harness, statusOf } from "../integration/operator-harness.ts";
import { below, type Figure, percentile, seconds } from "./operator-figures.ts";
import { follow } from "./operator-follow.ts";
import { type RelayInPod, startRelayInPod } from "./operator-relay.ts";

const relay = { namespace: "bench-toggle", name: "toggle" };
const agents = 10;
const produceMs = 20;
/** Short of and beyond the second in which a relay reports once: people toggle at any moment. */
const pauseMs = { min: 300, spread: 1_000 };

export interface ToggleOptions {
  readonly toggles: number;
  /** Of the relay's bundle. */
  readonly folder: string;
}

export interface ToggleDeps {
  /** Without relays that only pretend. */
  readonly harness: Harness;
  readonly client: ReturnType<typeof createKubeClient>;
}

/**
 * `spec.stdout` is patched again and again, from alerts to logs and back: how long until the relay prints the first line of
 * the one, and until the status confirms it. Meanwhile a client is subscribed to both, and must not notice.
 */
export async function measureToggles(
  { toggles, folder }: ToggleOptions,
  { harness, client }: ToggleDeps,
): Promise<readonly Figure[]> {
  await using stack = new AsyncDisposableStack();
  const fleet = stack.use(await startFleet({ count: agents }));
  await harness.createNamespace(relay.namespace);
  await harness.createRelay(relay.namespace, relay.name, { agents: { endpoints: [...fleet.addresses] } });
  const process = stack.use(await startRelayInPod({ folder, relay }, harness));
  await fleet.untilWatched();
  const checker = stack.use(await startChecker(process.address, { feeds: ["alerts", "logs"] }));
  const resource = stack.use(await follow(client, relayResource, relay));
  await resource.until("the relay is Ready", (object) => conditionOf(object, "Ready")?.status === "True");
  const before = await streamsOf(process, fleet);

  const production = setInterval(() => {
    fleet.produce("alerts", 1);
    fleet.produce("logs", 1);
  }, produceMs);
  stack.defer(() => clearInterval(production));
  const printedMs: number[] = [];
  const confirmedMs: number[] = [];
  for (let toggle = 0; toggle < toggles; toggle += 1) {
    const feed = toggle % 2 === 0 ? "alerts" : "logs";
    const printed = firstLine(process.lines, feed);
    const stdout = { alerts: feed === "alerts", logs: feed === "logs" };
    await client.mergePatch(relayResource, relay, { spec: { stdout } });
    const patchedMs = performance.now();
    const confirmed = resource.until(`the status says ${feed}`, (object) => statusOf(object).stdout === feed);
    // It may be there before the patch is answered.
    printedMs.push(Math.max(0, (await printed) - patchedMs));
    confirmedMs.push(Math.max(0, (await confirmed) - patchedMs));
    await pause(pauseMs.min + Math.random() * pauseMs.spread);
  }
  clearInterval(production);
  const after = await streamsOf(process, fleet);
  return [
    toggleFigure("stdout toggle to its first line", printedMs),
    toggleFigure("stdout toggle to the status that confirms it", confirmedMs),
    sameStreams(before, after),
    await lossFigure(fleet, checker),
  ];
}

function toggleFigure(name: string, values: readonly number[]): Figure {
  const [p50, p99, worst] = [50, 99, 100].map((percent) => percentile(values, percent));
  const measured = `p50 ${seconds(p50 ?? 0)}, p99 ${seconds(p99 ?? 0)}, worst ${seconds(worst ?? 0)} of ${values.length}`;
  return below(`${name}, p99`, values.length === 0 ? [] : [p99 ?? Infinity], { limit: 5_000, text: seconds }, measured);
}

/** `performance.now()` of the first line of that feed. */
function firstLine(lines: Interface, feed: "alerts" | "logs"): Promise<number> {
  return new Promise((resolve) => {
    const look = (line: string) => {
      if (findMark(line)?.feed !== feed) return;
      lines.off("line", look);
      resolve(performance.now());
    };
    lines.on("line", look);
  });
}

interface Streams {
  /** Of the process that answers, seconds since 1970. */
  readonly started: number;
  /** As the agents count what is subscribed to them. */
  readonly ids: readonly string[];
  readonly breaks: number;
}

async function streamsOf(process: RelayInPod, fleet: AgentFleet): Promise<Streams> {
  const metrics = await process.metrics();
  const read = (name: string) =>
    metrics
      .split("\n")
      .filter((line) => line.startsWith(name))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  const ids = fleet
    .counts()
    .flatMap(({ lives, address, connections }) =>
      lives.flatMap(({ feeds }) =>
        Object.entries(feeds).flatMap(([feed, { subscribers }]) =>
          subscribers.map(({ id, open }) => `${address} (${connections}) ${feed} ${id} ${open}`),
        ),
      ),
    );
  return {
    started: read("process_start_time_seconds"),
    ids,
    breaks: read("kubearmor_relay_stream_breaks_total"),
  };
}

function sameStreams(before: Streams, after: Streams): Figure {
  const isSame = isDeepStrictEqual(before, after);
  const measured = `${isSame ? "same" : "other"}, ${after.ids.length} streams, ${after.breaks} breaks`;
  const isMet = isSame && after.breaks === 0;
  return { name: "process and streams before and after", required: "same, 0 breaks", measured, isMet };
}

/** Every event that an agent produced while the client was subscribed, to the last. */
async function lossFigure(fleet: AgentFleet, checker: Checker): Promise<Figure> {
  const produced = fleet.agents.reduce((sum, agent) => sum + agent.produced("alerts") + agent.produced("logs"), 0);
  const late = AbortSignal.timeout(10_000);
  const isOver = new Promise<void>((resolve) => late.addEventListener("abort", () => resolve(), { once: true }));
  await Promise.race([checker.untilEvents(produced), isOver]);
  const { events, lost, duplicates, garbage } = checker.report();
  const measured = `${produced - events} of ${produced}`;
  const isMet = events === produced && lost + duplicates + garbage === 0;
  return { name: "events that a subscriber did not get meanwhile", required: "0", measured, isMet };
}
