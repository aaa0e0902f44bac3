import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { Client, credentials } from "@grpc/grpc-js";
import { service as health } from "grpc-health-check";
import { startChecker } from "../../hack/check/checker.ts";
import { type ControlPlane, startControlPlane } from "../../hack/testbed/control-plane.ts";
import { startRelayFixture, waitUntil } from "./relay-harness.ts";

const limit = { timeout: 120_000 };
let cluster: ControlPlane;

before(async () => {
  cluster = await startControlPlane();
});
after(() => cluster[Symbol.asyncDispose]());

test(
  "The relay follows the agents' pods: a new one, a finished one, one replaced on its address, a deleted one",
  limit,
  async () => {
    await using fixture = await startRelayFixture(
      { count: 3 },
      { discovery: "kubernetes", flags: [`--kubeconfig=${cluster.kubeconfig}`] },
    );
    const agents = () => fixture.fleet.counts().map(({ connections }) => connections);
    const [first, second, third] = fixture.fleet.addresses;
    await Promise.all([
      addPod("a", first),
      addPod("b", second),
      addPod("other", third, { "kubearmor-app": "kubearmor-relay" }),
    ]);
    await fixture.statusWhen(({ nodes }) => nodes.filter(({ state }) => state.kind === "connected").length === 2);
    assert.deepEqual(agents(), [1, 1, 0]);

    await using checker = await startChecker(fixture.address, { feeds: ["alerts"] });
    fixture.fleet.produce("alerts", 10);
    await checker.untilEvents(20);

    const earlier = await fixture.status();
    await cluster.kubectl(["delete", "pod", "a", "--grace-period=0", "--force"]);
    await addPod("a", first);
    await fixture.statusWhen(({ nodes }) => {
      const ids = new Set(nodes.map(({ agent }) => agent.id));
      return (
        nodes.length === 2 &&
        !earlier.nodes.every(({ agent }) => ids.has(agent.id)) &&
        nodes.every(({ state }) => state.kind === "connected")
      );
    });
    await waitUntil(() => agents().join() === "1,1,0");

    await setPhase("b", "Failed", second);
    await waitUntil(() => agents().join() === "1,0,0");
    await cluster.kubectl(["delete", "pod", "a", "--grace-period=0", "--force"]);
    await waitUntil(() => agents().join() === "0,0,0");
    assert.deepEqual((await fixture.status()).nodes, []);
    await cluster.kubectl(["delete", "pod", "--all", "--grace-period=0", "--force"]);
  },
);

test("The relay follows its settings in a ConfigMap, and falls back when that goes", limit, async () => {
  const apply = (settings: string) =>
    cluster.kubectl(["apply", "--server-side", "-f", "-"], {
      input: JSON.stringify({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "settings", namespace: "default" },
        data: { "config.yaml": settings },
      }),
    });
  await apply("stdout: {alerts: false}");
  await using fixture = await startRelayFixture(
    {},
    {
      flags: [`--kubeconfig=${cluster.kubeconfig}`, "--settings=default/settings"],
      env: { ENABLE_STDOUT_LOGS: "true" },
    },
  );
  const printed = async (feed: "alerts" | "logs") => {
    fixture.fleet.produce(feed, 1);
    const { feeds } = await fixture.status();
    return feeds[feed].stdout.delivered > 0;
  };
  await apply("stdout: {alerts: true, logs: false}");
  await waitUntil(() => printed("alerts"));
  const { feeds } = await fixture.status();
  assert.equal(feeds.alerts.agents.breaks, 0);
  await cluster.kubectl(["delete", "configmap", "settings"]);
  const earlier = feeds.logs.stdout.delivered;
  await waitUntil(async () => {
    fixture.fleet.produce("logs", 1);
    return (await fixture.status()).feeds.logs.stdout.delivered > earlier;
  });
});

test("The relay is not ready and says why while it may not list pods, and recovers when it may", limit, async () => {
  await cluster.kubectl(["create", "serviceaccount", "relay"]);
  const token = (await cluster.kubectl(["create", "token", "relay"])).trim();
  const kubeconfig = path.join(cluster.dir, "relay.kubeconfig");
  const server = (await cluster.kubectl(["config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"])).trim();
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server, "certificate-authority": path.join(cluster.dir, "ca.crt") } }],
      users: [{ name: "u", user: { token } }],
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      "current-context": "c",
    }),
  );
  await using fixture = await startRelayFixture({}, { discovery: "kubernetes", flags: [`--kubeconfig=${kubeconfig}`] });
  const readyz = async () => {
    const response = await fetch(`http://127.0.0.1:${fixture.relay.httpPort}/readyz`);
    return { status: response.status, text: await response.text() };
  };
  await waitUntil(async () => (await readyz()).text.includes("forbidden"));
  assert.equal((await readyz()).status, 503);
  assert.match((await readyz()).text, /pods/);
  assert.equal(await grpcHealth(fixture.address), "NOT_SERVING");
  const metrics = await (await fetch(`http://127.0.0.1:${fixture.relay.httpPort}/metrics`)).text();
  assert.match(metrics, /^kubearmor_relay_discovery_watches\{state="forbidden"\} 1$/m);
  await cluster.kubectl(["create", "clusterrole", "see-pods", "--verb=list,watch", "--resource=pods"]);
  await cluster.kubectl([
    "create",
    "clusterrolebinding",
    "relay",
    "--clusterrole=see-pods",
    "--serviceaccount=default:relay",
  ]);
  await waitUntil(async () => (await readyz()).status === 200);
  assert.equal(await grpcHealth(fixture.address), "SERVING");
});

/** What `grpc.health.v1` says of the server as a whole. */
async function grpcHealth(address: string): Promise<string> {
  const check = health["Check"];
  if (check === undefined) throw new Error("grpc-health-check defines no Check");
  const client = new Client(address, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      const done = (error: Error | null, reply: unknown) =>
        error === null ? resolve(String((reply as { readonly status: unknown }).status)) : reject(error);
      client.makeUnaryRequest(check.path, check.requestSerialize, check.responseDeserialize, { service: "" }, done);
    });
  } finally {
    client.close();
  }
}

async function addPod(
  name: string,
  address: string | undefined,
  labels = { "kubearmor-app": "kubearmor" },
): Promise<void> {
  const port = Number(address?.split(":")[1]);
  const container = { name: "kubearmor", image: "agent", ports: [{ name: "grpc", containerPort: port }] };
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name, labels }, spec: { containers: [container] } };
  await cluster.kubectl(["create", "-f", "-"], { input: JSON.stringify(pod) });
  await setPhase(name, "Running", address);
}

async function setPhase(name: string, phase: string, address: string | undefined): Promise<void> {
  const ip = address?.split(":")[0];
  const patch = JSON.stringify({ status: { phase, podIP: ip, podIPs: [{ ip }] } });
  await cluster.kubectl(["patch", "pod", name, "--subresource=status", "--type=merge", "-p", patch]);
}
