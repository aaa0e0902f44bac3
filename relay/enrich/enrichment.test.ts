import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../../lib/kube/testing/recording-clock.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { encodeFrame } from "../wire/frame-cutter.ts";
import { Enricher } from "./enricher.ts";
import { Enrichment } from "./enrichment.ts";
import { decodeEvent, encodeEvent, messagesIn } from "./testing/events.ts";
import { ScriptedCluster } from "./testing/scripted-cluster.ts";

const run = encodeFrame(
  encodeEvent("logs", { Operation: "Network", Resource: "remoteip=10.43.0.1", Data: "kprobe=tcp_connect" }),
);

function clusterOfOne(): ScriptedCluster {
  const cluster = new ScriptedCluster();
  const metadata = { namespace: "shop", name: "redis" };
  cluster.objects.services = [{ apiVersion: "v1", kind: "Service", metadata, spec: { clusterIP: "10.43.0.1" } }];
  return cluster;
}

function start(cluster: ScriptedCluster | undefined) {
  const enricher = new Enricher();
  const deps = { clock: new FakeClock(), random: () => 0.5, log: silentLog };
  const enrichment = new Enrichment(enricher, cluster === undefined ? undefined : { ...deps, client: cluster });
  const read = () => {
    const [message = Buffer.alloc(0)] = messagesIn(enricher.apply("logs", run, 1));
    const { Resource, ClusterName } = decodeEvent("logs", message);
    return { Resource, ClusterName };
  };
  return { enrichment, read };
}

test("Enrichment watches the cluster only while peers are to be named", async () => {
  const cluster = clusterOfOne();
  const { enrichment, read } = start(cluster);
  enrichment.apply({ clusterName: "west", remoteHost: false });
  await settle();
  assert.deepEqual(cluster.requests, []);
  assert.equal(enrichment.states.length, 0);
  assert.deepEqual(read(), { Resource: "remoteip=10.43.0.1", ClusterName: "west" });

  enrichment.apply({ clusterName: "", remoteHost: true });
  enrichment.apply({ clusterName: "", remoteHost: true });
  await settle();
  assert.equal(cluster.openStreams, 2);
  assert.equal(cluster.requests.length, 4);
  assert.equal(enrichment.hosts, 1);
  assert.deepEqual(
    enrichment.states.map(({ state }) => state.kind),
    ["synced", "synced"],
  );
  assert.deepEqual(read(), { Resource: "remoteip=10.43.0.1 remotehost=svc/shop/redis", ClusterName: undefined });

  enrichment.apply({ clusterName: "", remoteHost: false });
  assert.deepEqual(read(), { Resource: "remoteip=10.43.0.1", ClusterName: undefined });
  await enrichment[Symbol.asyncDispose]();
  assert.equal(cluster.openStreams, 0);
});

test("Enrichment without a cluster names clusters only", async () => {
  const { enrichment, read } = start(undefined);
  enrichment.apply({ clusterName: "west", remoteHost: true });
  assert.equal(enrichment.states.length, 0);
  assert.deepEqual(read(), { Resource: "remoteip=10.43.0.1", ClusterName: "west" });
  await enrichment[Symbol.asyncDispose]();
});
