import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { stringify } from "yaml";
import { startChecker } from "../../hack/check/checker.ts";
import { type ControlPlane, startControlPlane } from "../../hack/testbed/control-plane.ts";
import { assertWhole, type RelayFixture, startRelayFixture, waitUntil } from "./relay-harness.ts";

const limit = { timeout: 120_000 };
let cluster: ControlPlane;

before(async () => {
  cluster = await startControlPlane();
});
after(() => cluster[Symbol.asyncDispose]());

/** Of which every test has one of its own. */
async function applySettings(name: string, settings: object | string): Promise<void> {
  const text = typeof settings === "string" ? settings : stringify(settings);
  const metadata = { name, namespace: "default" };
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "config.yaml": text } };
  await cluster.kubectl(["apply", "--server-side", "-f", "-"], { input: JSON.stringify(object) });
}

interface Statusz {
  readonly settingsHash: string;
  readonly settingsErrors: readonly string[];
  readonly process: { readonly buffer: { readonly maxBytes: number } };
}

async function statusz({ relay }: RelayFixture): Promise<Statusz> {
  const response = await fetch(`http://127.0.0.1:${relay.httpPort}/statusz`);
  return (await response.json()) as Statusz;
}

/** Applies settings and waits until they are in force. */
async function change(fixture: RelayFixture, name: string, settings: object): Promise<void> {
  const { settingsHash } = await statusz(fixture);
  await applySettings(name, settings);
  await waitUntil(async () => (await statusz(fixture)).settingsHash !== settingsHash);
}

function fixtureWith(name: string, agents = 1): Promise<RelayFixture> {
  return startRelayFixture(
    { count: agents },
    { flags: [`--kubeconfig=${cluster.kubeconfig}`, "--discovery=static", `--settings=default/${name}`] },
  );
}

test("Every setting takes effect live: on the same connections and streams, with no event lost", limit, async () => {
  await applySettings("every", {});
  await using fixture = await fixtureWith("every", 2);
  await using checker = await startChecker(fixture.address, { feeds: ["alerts"] });
  const connections = () => fixture.fleet.counts().map((agent) => agent.connections);
  assert.deepEqual(connections(), [1, 1]);
  const steps: readonly object[] = [
    { stdout: { alerts: true } },
    { stdout: { alerts: true }, clusterName: "prod" },
    { clusterName: "prod", limits: { bufferBytes: "64Mi", mailboxBytes: "1Mi", maxSubscribers: 1 } },
    { enrichment: { remoteHost: false }, logLevel: "debug" },
    { enrichment: { remoteHost: true }, agents: { namespaces: ["a", "b"], selector: "x=y", port: 1 } },
  ];
  const producing = setInterval(() => fixture.fleet.produce("alerts", 3), 5);
  try {
    for (const step of steps) {
      await change(fixture, "every", step);
      const seen = checker.report().events;
      await checker.untilEvents(seen + 50);
    }
  } finally {
    clearInterval(producing);
  }
  const produced = fixture.fleet.agents.reduce((sum, agent) => sum + agent.produced("alerts"), 0);
  await checker.untilEvents(produced);
  assertWhole(checker, produced);
  const { feeds } = await fixture.status();
  assert.equal(feeds.alerts.agents.breaks, 0);
  assert.deepEqual(connections(), [1, 1]);
  assert.ok(feeds.alerts.stdout.delivered > 0);
});

test("clusterName: events get it from the next one on, and keep it out when it goes", limit, async () => {
  await applySettings("name", { stdout: { alerts: true } });
  await using fixture = await fixtureWith("name");
  await waitUntil(async () => (await statusz(fixture)).settingsErrors.length === 0);
  const nameOfNext = async () => {
    const count = fixture.lines().length;
    await waitUntil(() => {
      fixture.fleet.produce("alerts", 1);
      return fixture.lines().length > count;
    });
    return (JSON.parse(fixture.lines().at(-1) ?? "{}") as { readonly ClusterName: string }).ClusterName;
  };
  await waitUntil(async () => (await nameOfNext()) === "default");
  await change(fixture, "name", { stdout: { alerts: true }, clusterName: "prod" });
  await waitUntil(async () => (await nameOfNext()) === "prod");
  await change(fixture, "name", { stdout: { alerts: true } });
  await waitUntil(async () => (await nameOfNext()) === "default");
});

test("limits: those who are served stay, one more is refused, and the budget is the new one", limit, async () => {
  await applySettings("limits", {});
  await using fixture = await fixtureWith("limits");
  await using first = await startChecker(fixture.address, { feeds: ["alerts", "logs"] });
  await change(fixture, "limits", { limits: { maxSubscribers: 1, bufferBytes: "32Mi" } });
  assert.equal((await statusz(fixture)).process.buffer.maxBytes, 32 * 1024 ** 2);
  await using second = await startChecker(fixture.address, { feeds: ["alerts"], reconnect: false });
  await second.untilEnded(1);
  assert.deepEqual(
    second.report().ended.map(({ code }) => code),
    ["RESOURCE_EXHAUSTED"],
  );
  fixture.fleet.produce("alerts", 10);
  fixture.fleet.produce("logs", 10);
  await first.untilEvents(20);
  assertWhole(first, 20);
});

test(
  "Settings with any mistake change nothing, and /statusz names every problem until they are good",
  limit,
  async () => {
    await applySettings("wrong", { stdout: { alerts: true } });
    await using fixture = await fixtureWith("wrong");
    await fixture.statusWhen(() => true);
    await waitUntil(() => {
      fixture.fleet.produce("alerts", 1);
      return fixture.lines().length > 0;
    });
    const { settingsHash } = await statusz(fixture);
    await applySettings("wrong", "stdout: {alerts: false, alarms: true}\nclusterNames: x\n");
    await waitUntil(async () => (await statusz(fixture)).settingsErrors.length === 2);
    assert.equal((await statusz(fixture)).settingsHash, settingsHash);
    const printed = fixture.lines().length;
    fixture.fleet.produce("alerts", 1);
    await waitUntil(() => fixture.lines().length > printed);
    await applySettings("wrong", { stdout: { alerts: false } });
    await waitUntil(async () => (await statusz(fixture)).settingsErrors.length === 0);
  },
);

test("agents.namespaces: agents that both know keep their connection, the others come and go", limit, async () => {
  await applySettings("places", { agents: { namespaces: ["one", "two"] } });
  await using fixture = await startRelayFixture(
    { count: 3 },
    { discovery: "kubernetes", flags: [`--kubeconfig=${cluster.kubeconfig}`, "--settings=default/places"] },
  );
  const connections = () => fixture.fleet.counts().map((agent) => agent.connections);
  for (const [index, namespace] of ["one", "two", "three"].entries()) {
    await cluster.kubectl(["create", "namespace", namespace]);
    await addAgent(namespace, fixture.fleet.addresses[index] ?? "");
  }
  await waitUntil(() => connections().join() === "1,1,0");
  await using checker = await startChecker(fixture.address, { feeds: ["alerts"] });
  const kept = fixture.fleet.agent(1);
  const opened = kept.counts();
  const producing = setInterval(() => kept.produce("alerts", 1), 2);
  try {
    await change(fixture, "places", { agents: { namespaces: ["two", "three"] } });
    await waitUntil(() => connections().join() === "0,1,1");
    await change(fixture, "places", { agents: { namespaces: [] } });
    await waitUntil(() => connections().join() === "1,1,1");
    await change(fixture, "places", { agents: { selector: "kubearmor-app in (kubearmor)", namespaces: ["two"] } });
    await waitUntil(() => connections().join() === "0,1,0");
  } finally {
    clearInterval(producing);
  }
  await checker.untilEvents(kept.produced("alerts"));
  assertWhole(checker, kept.produced("alerts"));
  assert.equal(kept.counts().connections, opened.connections);
  assert.equal((await fixture.status()).feeds.alerts.subscribers.offered, kept.produced("alerts"));
});

async function addAgent(namespace: string, address: string): Promise<void> {
  const [ip, port] = address.split(":");
  const container = { name: "kubearmor", image: "agent", ports: [{ name: "grpc", containerPort: Number(port) }] };
  const metadata = { name: "agent", namespace, labels: { "kubearmor-app": "kubearmor" } };
  const pod = { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [container] } };
  await waitUntil(async () => {
    try {
      await cluster.kubectl(["create", "-f", "-"], { input: JSON.stringify(pod) });
      return true;
    } catch {
      // The namespace's ServiceAccount is not there yet.
      return false;
    }
  });
  const patch = JSON.stringify({ status: { phase: "Running", podIP: ip, podIPs: [{ ip }] } });
  await cluster.kubectl([
    "-n",
    namespace,
    "patch",
    "pod",
    "agent",
    "--subresource=status",
    "--type=merge",
    "-p",
    patch,
  ]);
}
