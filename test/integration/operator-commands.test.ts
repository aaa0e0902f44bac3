import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { configMaps, deployments, services } from "../../lib/kube/resources.ts";
import { relayResource } from "../../operator/api/relay.ts";
import { type Harness, startHarness, untilCondition, untilIdle, writesOf } from "./operator-harness.ts";

let harness: Harness;

before(async () => {
  harness = await startHarness();
});

after(() => harness[Symbol.asyncDispose]());

const limit = { timeout: 60_000 };
const main = new URL("../../operator/main.ts", import.meta.url).pathname;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(argv: readonly string[], input: string): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...argv], { env: {} });
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode ?? -1, stdout, stderr };
}

function manifest(namespace: string, spec: object): string {
  const apiVersion = "operator.kubearmor.com/v1alpha1";
  const tolerations = [{ operator: "Exists" }];
  return JSON.stringify({
    apiVersion,
    kind: "KubeArmorRelay",
    metadata: { namespace, name: "relay" },
    spec: { tolerations, ...spec },
  });
}

function diff(namespace: string, spec: object): Promise<Ended> {
  const flags = [`--kubeconfig=${harness.operatorKubeconfig}`, "--relay-image=localhost/relay:test"];
  return run(["diff", "-f", "-", ...flags], manifest(namespace, spec));
}

test("render: what it prints is taken by the server, and needs no cluster", limit, async () => {
  await harness.createNamespace("rendered");
  const { code, stdout, stderr } = await run(["render", "-f", "-"], manifest("rendered", { replicas: 2 }));
  assert.equal(code, 0, stderr);
  const file = `${harness.plane.dir}/rendered.yaml`;
  await writeFile(file, stdout);
  await harness.plane.kubectl(["apply", "--server-side", "--validate=strict", "--dry-run=server", "-f", file]);
});

test("render and diff: a mistake is named and the status is 2", limit, async () => {
  const invalid = await run(["render", "-f", "-"], manifest("a", { service: { nodePort: 1 } }));
  assert.equal(invalid.code, 2);
  assert.match(invalid.stderr, /nodePort needs type/);
  assert.equal(invalid.stdout, "");
  assert.equal((await run(["diff", "-f", "/nowhere.yaml"], "")).code, 2);
  const unreachable = await run(["diff", "-f", "-", "--kubeconfig=/nowhere"], manifest("a", {}));
  assert.equal(unreachable.code, 2);
});

test("render: what is acted upon all the same is a warning on stderr, and the status is 0", limit, async () => {
  const spec = { limits: { maxSubscribers: 10_000 } };
  const { code, stdout, stderr } = await run(["render", "-f", "-"], manifest("a", spec));
  assert.equal(code, 0, stderr);
  assert.match(stderr, /"level":"warn".*spec\.limits\.maxSubscribers: is 10000, which an earlier CRD allowed/);
  assert.match(stdout, /kind: Deployment/);
  assert.doesNotMatch(stdout, /earlier CRD/);
});

test("diff: nothing for a relay that is as it should be, and a line for all that is not", limit, async () => {
  const at = { namespace: "diff", name: "relay" };
  await harness.createNamespace(at.namespace);
  const fresh = await diff(at.namespace, {});
  assert.equal(fresh.code, 1);
  assert.match(fresh.stdout, /^\+ diff: Deployment relay$/m);
  {
    await using operator = await harness.start();
    await harness.createRelay(at.namespace, at.name, {});
    await untilCondition(harness.admin, at, "Ready", "True");
    await untilIdle(operator);
  }
  assert.deepEqual(await diff(at.namespace, {}), { code: 0, stdout: "", stderr: "" });
  await harness.admin.mergePatch(configMaps, at, { data: { ENABLE_STDOUT_LOGS: "true" } });
  const { code, stdout } = await diff(at.namespace, { service: { name: "other" }, replicas: 2 });
  assert.equal(code, 1);
  assert.match(stdout, /^~ diff: ConfigMap relay \.data\.ENABLE_STDOUT_LOGS \(unowned\)$/m);
  assert.match(stdout, /^~ diff: Deployment relay \.spec\.replicas \(changed\)$/m);
  assert.match(stdout, /^\+ diff: Service other$/m);
  assert.match(stdout, /^- diff: Service kubearmor$/m);
  assert.match(stdout, /^\+ diff: PodDisruptionBudget relay$/m);
});

test("--dry-run: nothing is written, not even a status", limit, async () => {
  const at = { namespace: "dry", name: "relay" };
  await harness.createNamespace(at.namespace);
  const earlier = writesOf(await harness.requests()).length;
  await using operator = await harness.start({ dryRun: true, leaderElect: true });
  await harness.createRelay(at.namespace, at.name, {});
  await untilIdle(operator);
  assert.deepEqual(writesOf(await harness.requests()).slice(earlier), []);
  assert.equal(await harness.admin.get(deployments, at), undefined);
  assert.equal(await harness.admin.get(services, { ...at, name: "kubearmor" }), undefined);
  assert.deepEqual((await harness.admin.get(relayResource, at))?.["status"], { observedGeneration: -1 });
});
