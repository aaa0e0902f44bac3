import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { loadCluster } from "../../lib/kube/credentials.ts";
import { configMaps, deployments } from "../../lib/kube/resources.ts";
import type { KubeObject, ObjectName } from "../../lib/kube/types.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { apiVersion, relayKind, relayResource } from "../../operator/api/relay.ts";
import { type Operator, startOperator } from "../../operator/operator.ts";
import { connectEtcd } from "./kube-etcd.ts";
import { freezeControlPlane } from "./kube-freeze.ts";
import { connectTo, portOf, startGate, startRestartable } from "./kube-harness.ts";
import { auditedCalls, isWriteOfObject } from "./operator-audit.ts";
import { newIdentity, operatorUser, shortTimes, shortTimesFlags, startChild } from "./operator-child.ts";
import { type Asked, type FaultProxy, startFaultProxy } from "./operator-fault-proxy.ts";
import { untilAsDesired, untilSilent } from "./operator-faults-walk.ts";
import { type Harness, type Spec, eventually, startHarness, untilCondition } from "./operator-harness.ts";
import { readyProblems, sumOf } from "./operator-metrics-text.ts";

const relayImage = "localhost/relay:test";
const crd = new URL("../../crds/kubearmorrelays.yaml", import.meta.url).pathname;
const limit = { timeout: 110_000 };

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

const options = { namespaces: [], httpPort: 0, relayImage, leaderElect: false, concurrency: 4 };

/** Of the pauses between attempts it takes the shorter ones. */
const impatient = (): number => Math.random() / 5;

function startBehindProxy(): Promise<Operator> {
  const deps = { cluster: proxy.cluster, clock: systemClock, random: impatient, log: silentLog };
  return startOperator({ ...options, leaseNamespace: undefined }, deps);
}

const nameIn = (namespace: string) => (name: string) => ({ namespace, name });

/** What a test leaves behind is not the next one's to look after. */
async function removeRelay(at: ObjectName): Promise<void> {
  await harness.admin.delete(relayResource, at, { propagationPolicy: "Background" });
  await eventually("it is gone", async () =>
    (await harness.admin.get(relayResource, at)) === undefined ? true : undefined,
  );
}

const serviceOf = (name: string): Spec => ({ service: { name } });
const isWriteAsked = ({ method, path }: Asked): boolean => method !== "GET" && !path.includes("/leases");

test(
  "the API server stands still until the lease is lost: the process ends with an error, and writes nothing after that",
  limit,
  async () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    const at = nameIn("frozen");
    await harness.createNamespace("frozen");
    const { kubeconfig, credential } = await newIdentity(harness.plane, "frozen", proxy.cluster.server);
    const asked: { readonly line: string; readonly atMs: number }[] = [];
    proxy.fault = (each) => {
      if (isWriteAsked(each)) asked.push({ line: `${each.method} ${each.path}`, atMs: Date.now() });
      return undefined;
    };
    await using child = startChild(kubeconfig, shortTimesFlags);
    await child.logged("Reconciling");
    for (const name of names) await harness.createRelay("frozen", name, serviceOf(name));
    await eventually("it is in the middle of its work", async () => (asked.length > 5 ? true : undefined));
    const frozen = freezeControlPlane(harness.plane.dir);
    const frozenUs = Date.now() * 1000;
    let lostMs: number;
    try {
      const lost = await child.logged("Lost the lease");
      lostMs = Date.parse(String(lost["timestamp"]));
      assert.ok(String(lost["error"]).includes(`no renewal for more than ${shortTimes.renewDeadlineMs} ms`));
    } finally {
      frozen.thaw();
    }
    assert.equal(await child.exited, 1);
    const askedInAll = asked.length;
    // Served after what was in the buffers.
    await harness.createNamespace("frozen-since");
    assert.deepEqual(
      asked.filter(({ atMs }) => atMs > lostMs),
      [],
      "a write was sent after the loss",
    );
    const late = (await auditedCalls(harness.plane.auditLog)).filter(
      (call) => call.credential === credential && isWriteOfObject(call) && call.receivedUs > frozenUs,
    );
    // What had been sent before may be in the buffers of the server: nothing else, and nothing more than that.
    const sent = asked.map(({ line }) => line);
    for (const { verb, uri } of late)
      assert.ok(
        sent.some((line) => line.endsWith(uri)),
        `${verb} ${uri} was not sent`,
      );
    console.log(`# ${late.length} writes from the buffers, of ${askedInAll}`);
    proxy.fault = () => undefined;
    await using operator = await startBehindProxy();
    await operator.working;
    for (const name of names) {
      await untilCondition(harness.admin, at(name), "Ready", "True");
      await untilAsDesired(harness.admin, at(name), relayImage);
    }
  },
);

test(
  "etcd refuses every write: nothing is tried hot, the caches stay good, and all is done once it takes writes again",
  limit,
  async () => {
    const at = nameIn("full");
    const names = ["g", "h"];
    await harness.createNamespace("full");
    for (const name of names) await harness.createRelay("full", name, serviceOf(name));
    using etcd = connectEtcd(harness.plane.dir);
    await etcd.raiseNoSpace();
    proxy.fault = () => undefined;
    await using operator = await startBehindProxy();
    try {
      await operator.working;
      await eventually("it has been refused often", async () =>
        (await sumOf(operator, "controller_runtime_reconcile_errors_total")) >= 14 ? true : undefined,
      );
      assert.deepEqual(await readyProblems(operator), []);
      const calls = (await auditedCalls(harness.plane.auditLog)).filter(({ uri }) => uri.includes("/namespaces/full/"));
      const refused = calls.filter((call) => call.user === operatorUser && isWriteOfObject(call));
      assert.ok(refused.length > 0 && refused.every(({ code }) => code === 500), "every write was refused");
      // The pauses of each relay double from 5 ms on.
      const [first, last] = [refused[0]?.receivedUs ?? 0, refused.at(-1)?.receivedUs ?? 0];
      const doublings = Math.log2((last - first) / 5_000 + 1);
      const failed = await sumOf(operator, "controller_runtime_reconcile_errors_total");
      assert.ok(failed <= names.length * (doublings + 3), `${failed} failed passes for ${doublings} doublings`);
    } finally {
      await etcd.clearNoSpace();
    }
    for (const name of names) {
      await untilCondition(harness.admin, at(name), "Ready", "True");
      await untilAsDesired(harness.admin, at(name), relayImage);
    }
  },
);

test(
  "every request is answered with 500 or 503: readyz says so, few are made, and changes made meanwhile are heard of",
  limit,
  async () => {
    const at = { namespace: "outage", name: "relay" };
    await harness.createNamespace("outage");
    proxy.fault = () => undefined;
    await using operator = await startBehindProxy();
    await harness.createRelay("outage", "relay", {});
    await untilCondition(harness.admin, at, "Ready", "True");
    let asked = 0;
    proxy.fault = () => {
      asked += 1;
      return { kind: "answer", code: asked % 2 === 0 ? 500 : 503 };
    };
    proxy.cut();
    const problems = await eventually("every kind is said not to be followed", async () => {
      const lines = await readyProblems(operator);
      return lines.length >= 12 ? lines : undefined;
    });
    for (const line of problems) assert.match(line, /^[a-z]+: (server-error|unreachable): /);
    await harness.admin.mergePatch(relayResource, at, { spec: { stdout: { alerts: true } } });
    await harness.admin.delete(configMaps, at);
    await harness.admin.mergePatch(deployments, at, { spec: { replicas: 3 } });
    await eventually("every watch was tried again", async () => (asked >= 2 * problems.length ? true : undefined));
    proxy.fault = () => undefined;
    await untilAsDesired(harness.admin, at, relayImage);
    await untilCondition(harness.admin, at, "Ready", "True");
    await eventually("it is ready again", async () =>
      (await readyProblems(operator)).length === 0 ? true : undefined,
    );
  },
);

test("every watch is two seconds late: nothing is made or written twice", limit, async () => {
  const at = { namespace: "stale", name: "relay" };
  await harness.createNamespace("stale");
  proxy.fault = ({ isWatch }) => (isWatch ? { kind: "lagging", ms: 2_000 } : undefined);
  await using operator = await startBehindProxy();
  await operator.working;
  await harness.createRelay("stale", "relay", {});
  await untilCondition(harness.admin, at, "Ready", "True");
  await harness.admin.mergePatch(relayResource, at, { spec: { stdout: { logs: true } } });
  await untilCondition(harness.admin, at, "Ready", "True");
  await untilSilent(harness.plane.auditLog, operatorUser);
  await untilAsDesired(harness.admin, at, relayImage);
  const calls = (await auditedCalls(harness.plane.auditLog)).filter(
    (call) => call.user === operatorUser && isWriteOfObject(call) && call.uri.includes("/namespaces/stale/"),
  );
  assert.deepEqual(
    calls.filter(({ code }) => code >= 400),
    [],
  );
  const countOf = (part: string) => calls.filter(({ uri }) => uri.includes(part)).length;
  const once = ["/serviceaccounts/", "/roles/", "/rolebindings/", "/deployments/", "/services/relay-metrics"];
  assert.deepEqual(
    Object.fromEntries(once.map((part) => [part, countOf(part)])),
    Object.fromEntries(once.map((part) => [part, 1])),
  );
  assert.equal(countOf("/configmaps/"), 2, "once for each wish");
  await removeRelay(at);
});

test(
  "the kind of the relays is deleted: the operator stays, readyz says what is missing, and all goes on when it is back",
  limit,
  async () => {
    const at = { namespace: "kindless", name: "relay" };
    await harness.createNamespace("kindless");
    proxy.fault = () => undefined;
    await using operator = await startBehindProxy();
    await operator.working;
    await harness.createRelay("kindless", "relay", {});
    await untilCondition(harness.admin, at, "Ready", "True");
    // The server deletes the relays first, and the operator has to take its finalizer off.
    await harness.plane.kubectl(["delete", "crd", "kubearmorrelays.operator.kubearmor.com", "--timeout=60s"]);
    const problem = await eventually("readyz names the kind", async () =>
      (await readyProblems(operator)).find((line) => line.startsWith("kubearmorrelays: ")),
    );
    assert.match(problem, /404/);
    await eventually("the relay's objects are gone", async () =>
      (await harness.admin.get(deployments, at)) === undefined ? true : undefined,
    );
    await untilSilent(harness.plane.auditLog, operatorUser);
    await harness.plane.kubectl(["apply", "--server-side", "-f", crd]);
    await harness.plane.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "-f", crd]);
    await harness.createRelay("kindless", "relay", {});
    await untilAsDesired(harness.admin, at, relayImage);
    await untilCondition(harness.admin, at, "Applied", "True");
    assert.deepEqual(await readyProblems(operator), []);
  },
);

test(
  "the database forgets what idle watches stand on, and the API server is killed and comes back elsewhere: what changed meanwhile is noticed",
  limit,
  async () => {
    // Without its cache the server answers watches from etcd, which forgets when told to.
    await using plane = await startRestartable({ crds: [crd], apiserverArgs: ["--watch-cache=false"] });
    // The age of credential files is of this clock, so that the test need not wait for a minute.
    const fileClock = new FakeClock();
    const cluster = loadCluster({ kubeconfig: plane.kubeconfig }, { clock: fileClock });
    await using gate = await startGate(portOf(cluster));
    // Short pauses between attempts.
    const deps = { cluster: gate.through(cluster), clock: systemClock, random: () => 0.05, log: silentLog };
    const at = nameIn("default");
    let untouched: string | undefined;
    await using operator = await startOperator({ ...options, leaseNamespace: undefined }, deps);
    {
      await using admin = connectTo(cluster);
      for (const name of ["changed", "deleted", "still"]) await admin.create(relayResource, localRelay(name));
      for (const name of ["changed", "deleted", "still"]) await untilCondition(admin, at(name), "Applied", "True");
      untouched = (await admin.get(configMaps, at("still")))?.metadata.resourceVersion;
      await gate.cut();
      await eventually("the cut is noticed", async () =>
        (await readyProblems(operator)).length > 0 ? true : undefined,
      );
      await admin.delete(configMaps, at("changed"));
      await admin.delete(relayResource, at("deleted"), { propagationPolicy: "Background" });
      // By force: nobody is there who would take the finalizer off.
      await admin.mergePatch(relayResource, at("deleted"), { metadata: { finalizers: null } });
      await eventually("it is gone", async () =>
        (await admin.get(relayResource, at("deleted"))) === undefined ? true : undefined,
      );
      await admin.create(relayResource, localRelay("added"));
      const { resourceVersion } = await admin.listPage(relayResource, {}, {});
      using etcd = connectEtcd(plane.dir);
      await etcd.compact(resourceVersion);
      await gate.open();
      for (const name of ["changed", "still", "added"]) await untilAsDesired(admin, at(name), relayImage);
      await untilCondition(admin, at("added"), "Applied", "True");
      assert.ok((await sumOf(operator, "kubearmorrelay_watch_restarts_total", 'reason="expired"')) > 0);
      assert.equal(await admin.get(deployments, at("deleted")), undefined);
      assert.equal((await admin.get(configMaps, at("still")))?.metadata.resourceVersion, untouched);
    }
    await plane.stop();
    await eventually("the end is noticed", async () => ((await readyProblems(operator)).length > 0 ? true : undefined));
    await plane.start();
    fileClock.advance(60_000);
    const anew = loadCluster({ kubeconfig: plane.kubeconfig });
    await using admin = connectTo(anew);
    await admin.delete(deployments, at("changed"), { propagationPolicy: "Background" });
    await admin.mergePatch(relayResource, at("added"), { spec: { stdout: { logs: true } } });
    await admin.delete(relayResource, at("still"), { propagationPolicy: "Background" });
    await gate.cut();
    await gate.open(portOf(anew));
    for (const name of ["changed", "added"]) {
      await untilAsDesired(admin, at(name), relayImage);
      await untilCondition(admin, at(name), "Applied", "True");
    }
    await eventually("it is ready again", async () =>
      (await readyProblems(operator)).length === 0 ? true : undefined,
    );
    await eventually("what was deleted is gone", async () =>
      (await admin.get(relayResource, at("still"))) === undefined ? true : undefined,
    );
  },
);

function localRelay(name: string): KubeObject {
  return { apiVersion, kind: relayKind, metadata: { namespace: "default", name }, spec: serviceOf(name) };
}
