/** What enrichment costs an event, and the index of a large cluster in memory: `node test/bench/enrich.ts`. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { KubeObject } from "../../lib/kube/types.ts";
import { Enricher, type EnricherSettings } from "../../relay/enrich/enricher.ts";
import { trimHost } from "../../relay/enrich/host.ts";
import { HostIndex } from "../../relay/enrich/host-index.ts";
import { encodeFrame } from "../../relay/wire/frame-cutter.ts";
import { fixtureWire } from "./event.ts";

const eventsInRun = 20;
const podCount = 50_000;
const rounds = 20_000;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function heapMiB(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** As the API server sends it, but for what makes it larger. */
function podText(at: number): string {
  const ip = `10.${40 + (at >> 16)}.${(at >> 8) & 255}.${at & 255}`;
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `frontend-${at}-7d4b9c8f6d-x2k9p`,
      namespace: `team-${at % 500}-production`,
      uid: `0f0e1d2c-3b4a-5968-7786-${String(at).padStart(12, "0")}`,
      resourceVersion: String(1_000_000 + at),
      creationTimestamp: new Date(1.7e12 + at * 1000).toISOString().replace(".000Z", "Z"),
      labels: { app: "frontend", tier: "web" },
    },
    spec: { nodeName: `node-${at % 1000}`, containers: [{ name: "main", image: "registry.example/frontend:1.2.3" }] },
    status: {
      phase: "Running",
      hostIP: "192.0.2.10",
      podIP: ip,
      podIPs: [{ ip }, { ip: `fd00:10:244::${at.toString(16)}` }],
    },
  });
}

function filledIndex(): HostIndex {
  const objects = Array.from({ length: podCount }, (_, at) => trimHost(JSON.parse(podText(at)) as KubeObject));
  const index = new HostIndex();
  index.apply("pod", { kind: "replaced", objects });
  return index;
}

function measureIndex(): { readonly index: HostIndex; readonly report: string } {
  const before = heapMiB();
  const startMs = performance.now();
  const index = filledIndex();
  const tookMs = performance.now() - startMs;
  const peakMiB = process.memoryUsage().heapUsed / 2 ** 20 - before;
  const keptMiB = heapMiB() - before;
  const figures = `${keptMiB.toFixed(1)} MiB kept, ${peakMiB.toFixed(0)} MiB before garbage collection, ${tookMs.toFixed(0)} ms`;
  return { index, report: `${index.size} pods of two addresses listed: ${figures}` };
}

function runOf(wire: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: eventsInRun }, () => encodeFrame(wire)));
}

function measure(name: string, settings: EnricherSettings, run: Buffer): string {
  const enricher = new Enricher();
  enricher.configure(settings);
  const round = (times: number) => {
    // Time of this process: others may want the core.
    const before = process.cpuUsage();
    for (let left = times; left > 0; left--) enricher.apply("logs", run, eventsInRun);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / times / eventsInRun;
  };
  round(rounds / 4);
  const { hostAdded, hostUnknown, clusterNameAdded } = enricher.counts("logs");
  const counts = `added ${hostAdded}, unknown ${hostUnknown}, cluster names ${clusterNameAdded}`;
  return `${name.padEnd(46)} ${round(rounds).toFixed(3)} µs CPU an event (warm-up: ${counts})`;
}

const fixtures = readFileSync(new URL("../fixtures/events.jsonl", import.meta.url), "utf8");
const file = fixtureWire(fixtures, "real/log-file-open");
const network = fixtureWire(fixtures, "real/log-tcp-connect");
const { index, report } = measureIndex();
const nobody = { lookup: () => undefined };
// The peer of the sample is a service; the lookup is that of a pod in a full index.
const known = { lookup: () => index.lookup("10.40.0.7") };

console.log(`${cpus()[0]?.model} x ${cpus().length}, node ${process.version}`);
console.log(`runs of ${eventsInRun} logs: file ${file.length} bytes, network ${network.length} bytes`);
console.log(report);
console.log(measure("nothing enabled", { clusterName: "", hosts: undefined }, runOf(network)));
console.log(measure("file logs, remotehost", { clusterName: "", hosts: known }, runOf(file)));
console.log(measure("network logs, remotehost, all known", { clusterName: "", hosts: known }, runOf(network)));
console.log(measure("network logs, remotehost, none known", { clusterName: "", hosts: nobody }, runOf(network)));
console.log(measure("file logs, clusterName", { clusterName: "west", hosts: undefined }, runOf(file)));
console.log(measure("network logs, clusterName and remotehost", { clusterName: "west", hosts: known }, runOf(network)));
