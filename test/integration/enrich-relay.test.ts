import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startChecker } from "../../hack/check/checker.ts";
import { startControlPlane } from "../../hack/testbed/control-plane.ts";
import { pods, serviceAccounts } from "../../lib/kube/resources.ts";
import { clusterOf, connectTo, eventually } from "./kube-harness.ts";
import { assertConserved, assertWhole, startRelayFixture, waitUntil } from "./relay-harness.ts";

/** The peer of a connection that simulated agents tell of. */
const peer = "10.244.3.17";
const agents = 2;

interface Line {
  readonly ClusterName?: string;
  readonly Resource?: string;
}

function isNamed({ Resource = "" }: Line): boolean {
  return Resource.endsWith(" protocol=TCP remotehost=pod/default/api");
}

test("The relay names peers and cluster in what it prints, as long as it is told to, and loses nothing by it", async () => {
  await using plane = await startControlPlane();
  await using client = connectTo(await clusterOf(plane.kubeconfig));
  const namespace = "default";
  await eventually("pods can be made", async () => {
    return (await client.get(serviceAccounts, { namespace, name: "default" })) !== undefined;
  });
  const api = { apiVersion: "v1", kind: "Pod", metadata: { namespace, name: "api" } };
  await client.create(pods, { ...api, spec: { containers: [{ name: "main", image: "none.example/none" }] } });
  const status = { phase: "Running", podIP: peer, podIPs: [{ ip: peer }] };
  await client.apply(pods, { ...api, status }, { fieldManager: "kubelet", force: true, subresource: "status" });

  const config = join(plane.dir, "relay.yaml");
  await writeFile(config, "stdout: {logs: true}\nclusterName: west\n");
  await using fixture = await startRelayFixture(
    { count: agents },
    { flags: [`--kubeconfig=${plane.kubeconfig}`, `--config=${config}`] },
  );
  await using checker = await startChecker(fixture.address, { feeds: ["logs"] });
  const connections = () =>
    fixture
      .lines()
      .map((line) => JSON.parse(line) as Line)
      .filter(({ Resource = "" }) => Resource.startsWith(`remoteip=${peer} `));
  let produced = 0;
  const produceUntil = (isReached: () => boolean) =>
    waitUntil(() => {
      fixture.fleet.produce("logs", 20);
      produced += 20 * agents;
      return isReached();
    });
  await produceUntil(() => connections().some(isNamed));
  assert.ok(connections().every(({ ClusterName }) => ClusterName === "west"));

  await writeFile(config, "stdout: {logs: true}\nenrichment: {remoteHost: false}\n");
  await produceUntil(() => connections().at(-1)?.ClusterName === "default");
  const later = connections().filter(({ ClusterName }) => ClusterName === "default");
  assert.ok(later.every(({ Resource = "" }) => Resource.endsWith(" protocol=TCP")));
  await checker.untilEvents(produced);
  assertWhole(checker, produced);
  assertConserved((await fixture.status()).feeds.logs);
});
