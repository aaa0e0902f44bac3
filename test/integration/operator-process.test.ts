import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { configMaps, events, leases } from "../../lib/kube/resources.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import { relayResource } from "../../operator/api/relay.ts";
import {
  type Harness,
  type Spec,
  eventually,
  startHarness,
  statusOf,
  untilCondition,
  untilIdle,
  writesOf,
} from "./operator-harness.ts";

const namespace = "relays";
const lease = { namespace: "kubearmor-relay-system", name: "kubearmor-relay-operator" };

/** Everything whose stored form might differ from what was written. */
const specs: Readonly<Record<string, Spec>> = {
  plain: { service: { name: "plain" } },
  full: {
    image: "registry.example/relay:1",
    imagePullPolicy: "Always",
    imagePullSecrets: [{ name: "pull" }],
    stdout: { alerts: true, logs: true, messages: true },
    service: { name: "full", type: "NodePort", port: 4000, annotations: { a: "b" } },
    agents: {
      namespaces: ["b", "a"],
      selector: { matchLabels: { b: "1", a: "" } },
      port: 1,
      endpoints: ["h:2", "[::1]:3"],
    },
    resources: { requests: { cpu: 1, memory: "1024Mi" }, limits: { cpu: "1000m", memory: "1.5Gi" } },
    nodeSelector: { "kubernetes.io/os": "linux" },
    tolerations: [
      { key: "", operator: "Exists", effect: "" },
      { key: "a", value: "", effect: "NoExecute", tolerationSeconds: 0 },
    ],
    podLabels: { x: "y" },
    podAnnotations: { x: "" },
  },
};

let harness: Harness;

before(async () => {
  harness = await startHarness();
  await harness.createNamespace(namespace);
});

after(() => harness[Symbol.asyncDispose]());

test("a relay that no operator has seen: status.observedGeneration is -1", async () => {
  for (const [name, spec] of Object.entries(specs)) {
    const relay = await harness.createRelay(namespace, name, spec);
    assert.deepEqual(relay["status"], { observedGeneration: -1 });
  }
});

test("an operator that starts: brings every relay to Ready, and then writes nothing", async () => {
  await using operator = await harness.start();
  for (const name of Object.keys(specs)) await untilCondition(harness.admin, { namespace, name }, "Ready", "True");
  // Events are written beside the passes.
  await eventually("it has told so", async () => {
    const told = (await harness.admin.list(events, { namespace })).filter((event) => event["reason"] === "RelayReady");
    return told.length === Object.keys(specs).length ? true : undefined;
  });
  await untilIdle(operator);
  const settled = writesOf(await harness.requests()).length;
  const passes = await passCount(operator.httpPort);
  // The second wakes the operator, the first does not, and neither is a reason to write.
  const at = { namespace, name: "full" };
  await harness.admin.mergePatch(relayResource, at, { metadata: { annotations: { theirs: "1" } } });
  await harness.admin.mergePatch(configMaps, at, { metadata: { annotations: { theirs: "1" } } });
  await eventually("it has looked again", async () =>
    (await passCount(operator.httpPort)) > passes ? true : undefined,
  );
  await untilIdle(operator);
  assert.deepEqual(writesOf(await harness.requests()).slice(settled), []);
});

test("an operator that restarts: 0 writes", async () => {
  const earlier = writesOf(await harness.requests()).length;
  await using operator = await harness.start();
  await eventually("every relay was looked at", async () =>
    (await passCount(operator.httpPort)) >= Object.keys(specs).length ? true : undefined,
  );
  await untilIdle(operator);
  assert.deepEqual(writesOf(await harness.requests()).slice(earlier), []);
});

test("two operators: one works, the other takes over when it goes", async () => {
  const first = await harness.start({ leaderElect: true });
  await first.working;
  const holder = await leaseHolder();
  const second = await harness.start({ leaderElect: true });
  await using _ = second;
  const ready = await eventually("the standby's caches are filled", async () => {
    const response = await fetch(`http://127.0.0.1:${second.httpPort}/readyz`);
    return response.status === 200 ? response : undefined;
  });
  assert.equal(await ready.text(), "ok\n");
  assert.equal(await leaseHolder(), holder);
  assert.equal(await passCount(second.httpPort), 0);
  await first[Symbol.asyncDispose]();
  await second.working;
  assert.notEqual(await leaseHolder(), holder);
  const name = "third";
  await harness.createRelay(namespace, name, { service: { name } });
  await untilCondition(harness.admin, { namespace, name }, "Ready", "True");
});

test("an operator whose lease is taken: ends with an error", async () => {
  await using operator = await harness.start({ leaderElect: true });
  await operator.working;
  await takeLease();
  await assert.rejects(operator.ended, /Lost the lease/);
});

test("the program: SIGTERM ends it with status 0 and gives the lease back, a lost lease ends it with status 1", async () => {
  await harness.admin.delete(leases, lease);
  const first = spawnOperator();
  const holder = await eventually("it leads", async () => {
    const found = await harness.admin.get(leases, lease);
    return found === undefined ? undefined : await leaseHolder();
  });
  first.child.kill("SIGTERM");
  assert.equal(await first.exited, 0);
  assert.equal((await leaseHolder()) ?? "", "");
  const second = spawnOperator();
  await eventually("it leads", async () => {
    const now = await leaseHolder();
    return now && now !== holder ? now : undefined;
  });
  await takeLease();
  assert.equal(await second.exited, 1);
});

test("namespaces: relays elsewhere are left alone", async () => {
  await harness.createNamespace("elsewhere");
  await using operator = await harness.start({ namespaces: [namespace] });
  await harness.createRelay("elsewhere", "relay", {});
  await harness.admin.mergePatch(relayResource, { namespace, name: "plain" }, { spec: { stdout: { logs: true } } });
  await eventually("the relay of its own namespace is reconciled", async () => {
    const relay = await harness.admin.get(relayResource, { namespace, name: "plain" });
    return statusOf(relay).stdout === "logs" ? true : undefined;
  });
  await untilIdle(operator);
  const relay = await harness.admin.get(relayResource, { namespace: "elsewhere", name: "relay" });
  assert.deepEqual(relay?.["status"], { observedGeneration: -1 });
});

test("the operator's role: no request of all these was refused", async () => {
  const refused = (await harness.requests()).filter(({ code }) => code === 401 || code === 403);
  assert.deepEqual(refused, []);
});

async function fetchLease(): Promise<KubeObject> {
  const found = await harness.admin.get(leases, lease);
  assert.ok(found);
  return found;
}

async function takeLease(): Promise<void> {
  await eventually("the lease is taken by force", async () => {
    const current = await fetchLease();
    const spec = {
      ...(current["spec"] as object),
      holderIdentity: "somebody",
      renewTime: new Date().toISOString().replace("Z", "000Z"),
    };
    try {
      return await harness.admin.replace(leases, { ...current, spec });
    } catch {
      // It was renewed in between.
      return undefined;
    }
  });
}

interface Program {
  readonly child: ChildProcess;
  /** The exit status. */
  readonly exited: Promise<unknown>;
}

function spawnOperator(): Program {
  const main = new URL("../../operator/main.ts", import.meta.url).pathname;
  const flags = ["--leader-elect", "--leader-elect-namespace=kubearmor-relay-system", "--http-port=0"];
  const child = spawn(process.execPath, [main, `--kubeconfig=${harness.operatorKubeconfig}`, ...flags], {
    stdio: "ignore",
  });
  return { child, exited: once(child, "exit").then(([status]: unknown[]) => status) };
}

async function leaseHolder(): Promise<unknown> {
  return ((await fetchLease())["spec"] as { readonly holderIdentity?: string }).holderIdentity;
}

async function passCount(httpPort: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/metrics`);
  const lines = (await response.text()).split("\n");
  return lines
    .filter((line) => line.startsWith("controller_runtime_reconcile_total{"))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
