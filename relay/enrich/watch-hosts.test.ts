import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../../lib/kube/testing/recording-clock.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { ScriptedCluster } from "./testing/scripted-cluster.ts";
import { type HostWatch, startHosts } from "./watch-hosts.ts";

const minuteMs = 60_000;

function pod(name: string, ip: string, phase = "Running"): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: "shop", name, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { containers: [] },
    status: { phase, podIP: ip, podIPs: [{ ip }] },
  };
}

function service(name: string, clusterIP: string): KubeObject {
  const metadata = { namespace: "shop", name, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
  return { apiVersion: "v1", kind: "Service", metadata, spec: { clusterIP, clusterIPs: [clusterIP] } };
}

interface Watched extends AsyncDisposable {
  readonly cluster: ScriptedCluster;
  readonly clock: FakeClock;
  readonly hosts: HostWatch;
  readonly told: string[];
  states(): string;
}

function statesOf({ states }: HostWatch): string {
  return states
    .map(({ resource, state }) => `${resource} ${state.kind === "failing" ? state.reason : state.kind}`)
    .join(", ");
}

async function watch(prepare: (cluster: ScriptedCluster) => void = () => {}): Promise<Watched> {
  const cluster = new ScriptedCluster();
  cluster.objects.pods = [pod("web", "10.0.0.1")];
  cluster.objects.services = [service("redis", "10.43.0.1")];
  prepare(cluster);
  const clock = new FakeClock();
  const told: string[] = [];
  const deps = { client: cluster, clock, random: () => 0.5, log: silentLog };
  const hosts = startHosts(deps, { onState: () => told.push(statesOf(hosts)) });
  await settle();
  return {
    cluster,
    clock,
    hosts,
    told,
    states: () => statesOf(hosts),
    [Symbol.asyncDispose]: () => hosts[Symbol.asyncDispose](),
  };
}

/** Time passes step by step, so that what waits for one timer may ask for the next. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 15_000) {
    clock.advance(Math.min(left, 15_000));
    await settle();
  }
}

test("startHosts() lists and follows pods and services, but for pods that have ended", async () => {
  await using watched = await watch();
  const { cluster, hosts } = watched;
  assert.equal(watched.states(), "pods synced, services synced");
  assert.deepEqual(cluster.requests.toSorted(), ["list pods", "list services", "watch pods", "watch services"]);
  assert.deepEqual(
    cluster.scopes.map(({ fieldSelector }) => fieldSelector),
    ["status.phase!=Succeeded,status.phase!=Failed", undefined],
  );
  assert.equal(hosts.index.lookup("10.0.0.1"), "pod/shop/web");
  assert.equal(hosts.index.lookup("10.43.0.1"), "svc/shop/redis");

  cluster.send("pods", "ADDED", pod("next", "10.0.0.2"));
  cluster.send("pods", "MODIFIED", pod("web", "10.0.0.3"));
  cluster.send("services", "DELETED", service("redis", "10.43.0.1"));
  await settle();
  assert.equal(hosts.index.lookup("10.0.0.2"), "pod/shop/next");
  assert.equal(hosts.index.lookup("10.0.0.3"), "pod/shop/web");
  assert.equal(hosts.index.lookup("10.0.0.1"), undefined);
  assert.equal(hosts.index.lookup("10.43.0.1"), undefined);
  assert.equal(hosts.index.size, 2);
});

test("startHosts() forgets what vanished while it could not watch", async () => {
  await using watched = await watch();
  const { cluster, hosts, clock } = watched;
  cluster.cut("pods");
  await settle();
  cluster.objects.pods = [pod("heir", "10.0.0.9")];
  cluster.forget();
  await pass(clock, minuteMs);
  assert.equal(watched.states(), "pods synced, services synced");
  assert.equal(cluster.requests.filter((request) => request === "list pods").length, 2);
  assert.equal(hosts.index.lookup("10.0.0.1"), undefined);
  assert.equal(hosts.index.lookup("10.0.0.9"), "pod/shop/heir");
});

test("startHosts() says what RBAC refuses, knows the rest, and goes on once it does not", async () => {
  await using watched = await watch((cluster) => cluster.refused.add("services"));
  const { cluster, hosts, clock } = watched;
  assert.equal(watched.states(), "pods synced, services forbidden");
  assert.deepEqual(watched.told, ["pods synced, services starting", "pods synced, services forbidden"]);
  assert.equal(hosts.index.lookup("10.0.0.1"), "pod/shop/web");
  assert.equal(hosts.index.lookup("10.43.0.1"), undefined);
  cluster.refused.clear();
  await pass(clock, minuteMs);
  assert.equal(watched.states(), "pods synced, services synced");
  assert.equal(hosts.index.lookup("10.43.0.1"), "svc/shop/redis");
});

test("startHosts() tells what it knew for five minutes of an outage, and no longer", async () => {
  await using watched = await watch();
  const { cluster, hosts, clock } = watched;
  for (const outage of ["first", "second"]) {
    cluster.refused.add("pods");
    cluster.cut("pods");
    await settle();
    await pass(clock, 5 * minuteMs - 1000);
    assert.equal(hosts.index.lookup("10.0.0.1"), "pod/shop/web", outage);
    await pass(clock, 1000);
    assert.equal(hosts.index.lookup("10.0.0.1"), undefined, outage);
    assert.equal(hosts.index.lookup("10.43.0.1"), "svc/shop/redis", outage);
    cluster.refused.clear();
    await pass(clock, minuteMs);
    assert.equal(watched.states(), "pods synced, services synced", outage);
    assert.equal(hosts.index.lookup("10.0.0.1"), "pod/shop/web", outage);
  }
  // An outage that ends in time leaves no doubt behind.
  cluster.refused.add("pods");
  cluster.cut("pods");
  await settle();
  cluster.refused.clear();
  await pass(clock, 6 * minuteMs);
  assert.equal(hosts.index.lookup("10.0.0.1"), "pod/shop/web");
});

test("startHosts() leaves nothing open", async () => {
  const watched = await watch();
  watched.cluster.refused.add("pods");
  watched.cluster.cut("pods");
  await settle();
  await watched[Symbol.asyncDispose]();
  assert.equal(watched.cluster.openStreams, 0);
  assert.equal(watched.clock.pendingTimers, 0);
});
