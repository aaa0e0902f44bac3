import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CommandError, run } from "../../hack/testbed/command.ts";
import { findGo } from "../../hack/testbed/go.ts";
import { createKubeClient } from "../../lib/kube/client.ts";
import { loadCluster } from "../../lib/kube/credentials.ts";
import { createEventRecorder, referenceTo } from "../../lib/kube/events.ts";
import { events } from "../../lib/kube/resources.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { startOperator } from "../../operator/operator.ts";
import { auditedCalls, isOfEvent, isWrite } from "./operator-audit.ts";
import { newIdentity, operatorUser, startChild } from "./operator-child.ts";
import { type FaultProxy, startFaultProxy } from "./operator-fault-proxy.ts";
import { createWalked, randomFaults, randomOf, untilAsDesired, walkStep } from "./operator-faults-walk.ts";
import { type Harness, eventually, startHarness } from "./operator-harness.ts";
import { type Samples, parseSamples, readMetrics, sumOf } from "./operator-metrics-text.ts";

const relayImage = "localhost/relay:test";
const limit = { timeout: 100_000 };
let harness: Harness;
let proxy: FaultProxy;

before(async () => {
  harness = await startHarness();
  proxy = await startFaultProxy(loadCluster({ kubeconfig: harness.operatorKubeconfig }));
});

after(async () => {
  await proxy[Symbol.asyncDispose]();
  await harness[Symbol.asyncDispose]();
});

test("a thousand identical failures: one Event with their number, in few writes", limit, async () => {
  await harness.createNamespace("events");
  const regarding = referenceTo(await harness.createRelay("events", "relay", {}));
  const client = createKubeClient(loadCluster({ kubeconfig: harness.operatorKubeconfig }), {
    log: silentLog,
    userAgent: "test/0",
  });
  await using _ = client;
  const reporter = { controller: "operator.kubearmor.com/relay-operator", instance: "one" };
  const recorder = createEventRecorder(reporter, { client, clock: systemClock, random: Math.random, log: silentLog });
  const facts = { regarding, type: "Warning", reason: "ApplyFailed", action: "Reconcile", note: "refused" } as const;
  for (let count = 0; count < 1_000; count += 1) recorder.record({ ...facts, note: `refused ${count}` });
  await recorder[Symbol.asyncDispose]();
  const found = (await harness.admin.list(events, { namespace: "events" })).filter(
    (event) => event["reason"] === "ApplyFailed",
  );
  assert.equal(found.length, 1);
  assert.equal((found[0]?.["series"] as { readonly count?: number } | undefined)?.count, 1_000);
  assert.equal(found[0]?.["reportingInstance"], "one");
  const writes = (await auditedCalls(harness.plane.auditLog)).filter(
    (call) => call.user === operatorUser && isWrite(call) && isOfEvent(call) && call.uri.includes("/events/"),
  );
  assert.ok(writes.length < 20, `${writes.length} writes`);
});

test(
  "metrics under faults: no counter ever falls, the queue is empty at the end, and promlint finds nothing",
  limit,
  async () => {
    const random = randomOf(7);
    const relays = ["a", "b"].map((name) => ({ namespace: "metrics", name }));
    await harness.createNamespace("metrics");
    await using operator = await startOperator(
      { namespaces: [], httpPort: 0, relayImage, leaderElect: false, leaseNamespace: undefined, concurrency: 4 },
      { cluster: proxy.cluster, clock: systemClock, random: Math.random, log: silentLog },
    );
    await operator.working;
    for (const relay of relays) await createWalked(relay, harness);
    proxy.fault = randomFaults(0.1, random);
    let earlier: Samples = new Map();
    for (let step = 0; step < 25; step += 1) {
      await walkStep(relays[step % 2] ?? assert.fail(), { harness, random });
      const text = await readMetrics(operator);
      const counters = countersOf(text);
      const now = parseSamples(text);
      for (const [series, value] of earlier)
        if (counters.has(nameOf(series)))
          assert.ok((now.get(series) ?? Number.NaN) >= value, `${series} fell from ${value}`);
      earlier = now;
    }
    proxy.fault = () => undefined;
    for (const relay of relays) await untilAsDesired(harness.admin, relay, relayImage);
    await eventually("the queue is empty and nothing is worked on", async () => {
      const left = await sumOf(operator, "workqueue_depth");
      return left + (await sumOf(operator, "controller_runtime_active_workers")) === 0 ? true : undefined;
    });
    assert.ok((await sumOf(operator, "controller_runtime_reconcile_errors_total")) > 0, "there were faults");
    assert.equal(await sumOf(operator, "controller_runtime_reconcile_panics_total"), 0);
    const complaints = await lint(await readMetrics(operator));
    if (complaints !== undefined) assert.equal(complaints, "");
  },
);

/** By their declared type: a name may lie. */
function countersOf(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/^# TYPE (\S+) (counter|histogram)$/gm)].map(([, name = ""]) => name));
}

function nameOf(series: string): string {
  const name = series.split("{")[0] ?? "";
  return name.replace(/_(bucket|count|sum)$/, "");
}

/** What `promtool check metrics` finds, a line each; undefined without Go to build it with. */
async function lint(metrics: string): Promise<string | undefined> {
  const source = join(import.meta.dirname, "../../hack/promlint");
  if ((await findGo(source)).kind !== "found") return undefined;
  const folder = await mkdtemp(join(tmpdir(), "promlint-"));
  try {
    await run("go", ["build", "-trimpath", "-o", folder, "."], { cwd: source, env: { CGO_ENABLED: "0" } });
    return await run(join(folder, "promlint"), [], { input: metrics });
  } catch (error) {
    if (error instanceof CommandError) return `status ${error.status}: ${error.stderr}`;
    throw error;
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("the log of a chaos run, at its most talkative: no token, no kubeconfig, nothing of a Secret", limit, async () => {
  const random = randomOf(11);
  const canary = "canary-5f1d-secret-value";
  const relay = { namespace: "talk", name: "relay" };
  await harness.createNamespace("talk");
  const secrets = { group: "", version: "v1", kind: "Secret", plural: "secrets", namespaced: true };
  await harness.admin.create(secrets, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: "talk", name: "pull" },
    stringData: { password: canary },
  });
  const { kubeconfig, token } = await newIdentity(harness.plane, "talk", proxy.cluster.server);
  await using child = startChild(kubeconfig, ["--log-level=debug"]);
  await child.logged("Reconciling");
  await harness.createRelay("talk", "relay", { service: { name: "svc-relay" }, imagePullSecrets: [{ name: "pull" }] });
  proxy.fault = randomFaults(0.15, random);
  for (let step = 0; step < 25; step += 1) await walkStep(relay, { harness, random });
  proxy.fault = () => ({ kind: "answer", code: 401 });
  proxy.cut();
  await child.logged("Cannot follow Kubernetes objects");
  proxy.fault = () => undefined;
  await untilAsDesired(harness.admin, relay, relayImage);
  child.process.kill("SIGTERM");
  assert.equal(await child.exited, 0);
  const log = child.log();
  assert.ok(log.includes('"level":"warn"'), "there was something to complain about");
  for (const part of [token, token.split(".")[2] ?? assert.fail(), canary, "Bearer ", "BEGIN "])
    assert.ok(!log.includes(part), `the log holds ${part.slice(0, 8)}`);
});
