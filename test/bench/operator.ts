/**
 * What the operator costs the API server and its node, and how fast it is, against the real control plane and with bundles
 * that are started as their images start them. `--help` tells the options.
 */
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../../hack/bundle.ts";
import { createKubeClient } from "../../lib/kube/client.ts";
import { loadCluster } from "../../lib/kube/credentials.ts";
import { errorText, silentLog } from "../../lib/process/log.ts";
import { startHarness } from "../integration/operator-harness.ts";
import { type AuditedRequest, tally } from "./operator-audit.ts";
import { startBundle } from "./operator-bundle.ts";
import { freePort, measureFailovers } from "./operator-failover.ts";
import { type Figure, figureTable } from "./operator-figures.ts";
import { machineText } from "./machine.ts";
import { measureLoad } from "./operator-load.ts";
import { type OperatorBenchOptions, operatorUsage, readOperatorOptions } from "./operator-options.ts";
import { measureToggles } from "./operator-toggle.ts";

const print = (text: string) => process.stdout.write(`${text}\n`);

/** Many relays, nothing to do, and another operator that takes them over: all with the same two hundred relays. */
async function measureOperators(options: OperatorBenchOptions, folder: string): Promise<readonly Figure[]> {
  await using harness = await startHarness();
  await using client = adminOf(harness.plane.kubeconfig);
  await using operator = startBundle({ folder, kubeconfig: harness.operatorKubeconfig, httpPort: await freePort() });
  await operator.untilReady();
  const { relays, idleMs, parts } = options;
  const figures: Figure[] = [];
  if (parts.has("load")) {
    const { figures: found, notes, work, idle } = await measureLoad({ relays, idleMs }, harness, operator);
    figures.push(...found);
    for (const note of notes) print(note);
    if (options.details) print(`${details("From apply to settled:", work)}\n${details("Idle:", idle)}`);
  }
  if (parts.has("failover"))
    figures.push(...(await measureFailovers({ ...options, folder }, { harness, client }, operator)));
  return figures;
}

/** One relay, which is a real process. */
async function measureRelay(options: OperatorBenchOptions, folders: Folders): Promise<readonly Figure[]> {
  await using harness = await startHarness({ fakeRelays: false });
  await using client = adminOf(harness.plane.kubeconfig);
  const { operatorKubeconfig: kubeconfig } = harness;
  await using operator = startBundle({ folder: folders.operator, kubeconfig, httpPort: await freePort() });
  await operator.untilReady();
  return await measureToggles({ toggles: options.toggles, folder: folders.relay }, { harness, client });
}

interface Folders {
  readonly operator: string;
  readonly relay: string;
}

function adminOf(kubeconfig: string) {
  return createKubeClient(loadCluster({ kubeconfig }), { log: silentLog, userAgent: "bench/0" });
}

function details(title: string, requests: readonly AuditedRequest[]): string {
  return [title, ...tally(requests).map(({ what, count }) => `  ${String(count).padStart(6)} ${what}`)].join("\n");
}

async function main(args: readonly string[]): Promise<void> {
  const options = readOperatorOptions(args);
  await using folder = await mkdtempDisposable(join(tmpdir(), "bench-operator-"));
  const folders = { operator: join(folder.path, "operator"), relay: join(folder.path, "relay") };
  for (const name of ["operator", "relay"] as const) await bundle(name, folders[name]);
  print(machineText());
  const { parts } = options;
  const figures = [
    ...(parts.has("load") || parts.has("failover") ? await measureOperators(options, folders.operator) : []),
    ...(parts.has("toggle") ? await measureRelay(options, folders) : []),
  ];
  print(`\n${figureTable(figures)}`);
}

const args = process.argv.slice(2);
if (args.includes("--help")) {
  print(operatorUsage);
} else {
  try {
    await main(args);
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n`);
    process.exitCode = 1;
  }
}
