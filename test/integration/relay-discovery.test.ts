import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { parse, stringify } from "yaml";
import { startChecker } from "../../hack/check/checker.ts";
import { type ControlPlane, startControlPlane } from "../../hack/testbed/control-plane.ts";
import { pods } from "../../lib/kube/resources.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import { type Client, clusterOf, connectTo, eventually, portOf, startGate } from "./kube-harness.ts";
import { assertWhole, startRelayFixture } from "./relay-harness.ts";

const limit = { timeout: 180_000 };
const namespace = "default";

test(
  "The relay keeps its agents while the API server is away, and catches up when that has forgotten the past",
  limit,
  async () => {
    // Without its cache the server reads watches from etcd, which forgets what is two seconds old.
    await using plane = await startControlPlane({
      apiserverArgs: ["--watch-cache=false", "--etcd-compaction-interval=1s"],
    });
    const cluster = await clusterOf(plane.kubeconfig);
    await using client = connectTo(cluster);
    await using gate = await startGate(portOf(cluster));
    const kubeconfig = await redirected(plane.kubeconfig, gate.through(cluster).server);
    await using fixture = await startRelayFixture(
      { count: 3 },
      { discovery: "kubernetes", flags: [`--kubeconfig=${kubeconfig}`] },
    );
    const [first, second, third] = fixture.fleet.addresses;
    await addPod(plane, client, "a", first);
    await addPod(plane, client, "b", second);
    await fixture.statusWhen(({ nodes }) => nodes.filter(({ state }) => state.kind === "connected").length === 2);
    await fixture.fleet.agent(1).untilWatched("alerts");
    await using checker = await startChecker(fixture.address, { feeds: ["alerts"] });
    const readyz = async () => (await fetch(`http://127.0.0.1:${fixture.relay.httpPort}/readyz`)).status;
    assert.equal(await readyz(), 200);

    await gate.cut();
    const metrics = async () => (await fetch(`http://127.0.0.1:${fixture.relay.httpPort}/metrics`)).text();
    await eventually("the relay says that it cannot see pods", async () =>
      /^kubearmor_relay_discovery_watches\{state="unreachable"\} 1$/m.test(await metrics()),
    );
    // Those that it knows it reads, and nobody is to be sent away from them.
    assert.equal(await readyz(), 200);
    fixture.fleet.agent(1).produce("alerts", 10);
    await checker.untilEvents(10);

    await client.delete(pods, { namespace, name: "a" });
    const { metadata } = await addPod(plane, client, "c", third);
    await eventually("the version is forgotten", async () => {
      await client.mergePatch(pods, { namespace, name: "b" }, { metadata: { annotations: { at: `${Date.now()}` } } });
      const exact = {
        resourceVersion: metadata.resourceVersion ?? "",
        resourceVersionMatch: "Exact" as const,
        limit: 1,
      };
      return await client.listPage(pods, {}, exact).then(
        () => false,
        (error: { code?: number }) => error.code === 410,
      );
    });
    await gate.open();
    await fixture.fleet.agent(2).untilWatched("alerts");
    await eventually("the deleted one is let go", () => fixture.fleet.counts()[0]?.connections === 0);
    assert.equal(await readyz(), 200);
    for (const index of [1, 2]) fixture.fleet.agent(index).produce("alerts", 10);
    await checker.untilEvents(30);
    assertWhole(checker, 30);
    // The agent that was there all the time did not notice.
    assert.equal(fixture.fleet.counts()[1]?.connections, 1);
    assert.equal((await fixture.status()).feeds.alerts.agents.breaks, 0);
  },
);

test("The relay finds the one agent behind 1,200 pods without an address, in pages", limit, async () => {
  // From its cache a server answers with everything at once, whatever the limit.
  await using plane = await startControlPlane({ audit: true, apiserverArgs: ["--watch-cache=false"] });
  await using client = connectTo(await clusterOf(plane.kubeconfig));
  const names = Array.from({ length: 1_200 }, (_, index) => `pending-${index}`);
  for (let at = 0; at < names.length; at += 50) {
    await Promise.all(names.slice(at, at + 50).map((name) => client.create(pods, pod(name, 32_767))));
  }
  await using fixture = await startRelayFixture(
    {},
    { discovery: "kubernetes", flags: [`--kubeconfig=${plane.kubeconfig}`] },
  );
  await addPod(plane, client, "zzz", fixture.fleet.addresses[0]);
  await fixture.fleet.untilWatched();
  const { nodes } = await fixture.statusWhen((status) => status.nodes.length === 1);
  assert.equal(nodes.length, 1);
  await eventually("the pages are in the audit log", async () => {
    const lists = (await readFile(plane.auditLog, "utf8"))
      .split("\n")
      .filter((line) => line.includes("kubearmor-relay/") && line.includes('"verb":"list"'));
    return lists.filter((line) => line.includes("continue=")).length >= 2;
  });
});

test("A pod that takes over an address gives one connection at any time, and no event twice", limit, async () => {
  await using plane = await startControlPlane();
  await using client = connectTo(await clusterOf(plane.kubeconfig));
  await using fixture = await startRelayFixture(
    { rates: { alerts: 500 }, whenWatched: true },
    { discovery: "kubernetes", flags: [`--kubeconfig=${plane.kubeconfig}`] },
  );
  await using checker = await startChecker(fixture.address, { feeds: ["alerts"], decodeEvery: 100 });
  let mostConnections = 0;
  const look = setInterval(() => {
    mostConnections = Math.max(mostConnections, fixture.fleet.counts()[0]?.connections ?? 0);
  }, 1);
  try {
    await addPod(plane, client, "agent-0", fixture.fleet.addresses[0]);
    for (let round = 1; round <= 4; round += 1) {
      await checker.untilEvents(checker.report().events + 100);
      // Both are there for a while, as in a rollout on the host's network.
      await addPod(plane, client, `agent-${round}`, fixture.fleet.addresses[0]);
      await checker.untilEvents(checker.report().events + 100);
      await client.delete(pods, { namespace, name: `agent-${round - 1}` });
    }
    await checker.untilEvents(checker.report().events + 100);
  } finally {
    clearInterval(look);
  }
  const { duplicates, reordered, garbage } = checker.report();
  assert.deepEqual({ duplicates, reordered, garbage }, { duplicates: 0, reordered: 0, garbage: 0 });
  // What hangs up may still be closing when its successor is accepted.
  assert.ok(mostConnections <= 2, `${mostConnections} connections at once`);
  await eventually("one is left", () => fixture.fleet.counts()[0]?.connections === 1);
  assert.equal(fixture.fleet.agent(0).watchers("alerts"), 1);
});

/** A kubeconfig that leads to another address of the same server. */
async function redirected(kubeconfig: string, server: string): Promise<string> {
  const config = parse(await readFile(kubeconfig, "utf8")) as { clusters: { cluster: Record<string, unknown> }[] };
  for (const { cluster } of config.clusters) cluster["server"] = server;
  const file = path.join(path.dirname(kubeconfig), "redirected.kubeconfig");
  await writeFile(file, stringify(config));
  return file;
}

function pod(name: string, containerPort: number): KubeObject {
  const container = { name: "kubearmor", image: "agent", ports: [{ name: "grpc", containerPort }] };
  const metadata = { namespace, name, labels: { "kubearmor-app": "kubearmor" } };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [container] } };
}

async function addPod({ kubectl }: ControlPlane, client: Client, name: string, address = ""): Promise<KubeObject> {
  const [ip = "", port] = address.split(":");
  const created = await client.create(pods, pod(name, Number(port)));
  const patch = JSON.stringify({ status: { phase: "Running", podIP: ip, podIPs: [{ ip }] } });
  await kubectl(["patch", "pod", name, "--subresource=status", "--type=merge", "-p", patch]);
  return created;
}
