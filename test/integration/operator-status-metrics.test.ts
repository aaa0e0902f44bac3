import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CommandError, run } from "../../hack/testbed/command.ts";
import { findGo } from "../../hack/testbed/go.ts";
import { relayResource } from "../../operator/api/relay.ts";
import type { Operator } from "../../operator/operator.ts";
import { type Harness, eventually, startHarness, untilCondition } from "./operator-harness.ts";

let harness: Harness;
let operator: Operator;

before(async () => {
  harness = await startHarness();
  operator = await harness.start();
});

after(async () => {
  await operator[Symbol.asyncDispose]();
  await harness[Symbol.asyncDispose]();
});

const at = { namespace: "measured", name: "relay" };

async function read(path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${operator.httpPort}${path}`);
  return await response.text();
}

async function seriesOf(metric: string): Promise<readonly string[]> {
  const text = await read("/metrics");
  return text.split("\n").filter((line) => line.startsWith(`${metric}{`));
}

test("the metrics tell the state of a relay as long as there is one", async () => {
  await harness.createNamespace(at.namespace);
  harness.relays?.behave(at, { kind: "reports", fields: { agents: { seen: 5, connected: 4 } } });
  await harness.createRelay(at.namespace, at.name, {});
  await untilCondition(harness.admin, at, "Ready", "True");
  const name = 'namespace="measured",name="relay"';
  await eventually("the metrics say so", async () => {
    const ready = `kubearmorrelay_condition{${name},type="Ready",status="true"} 1`;
    return (await seriesOf("kubearmorrelay_condition")).includes(ready) ? true : undefined;
  });
  assert.deepEqual(await seriesOf("kubearmorrelay_info"), [
    `kubearmorrelay_info{${name},version="0.0.0-fake",image="localhost/relay:test"} 1`,
  ]);
  assert.deepEqual(await seriesOf("kubearmorrelay_agents"), [
    `kubearmorrelay_agents{${name},state="seen"} 5`,
    `kubearmorrelay_agents{${name},state="connected"} 4`,
  ]);
  const kinds = (await seriesOf("kubearmorrelay_last_event_age_seconds")).map((line) => /kind="(\w+)"/.exec(line)?.[1]);
  assert.ok(kinds.includes("KubeArmorRelay") && kinds.includes("Pod"), kinds.join());
});

const source = join(import.meta.dirname, "../../hack/promlint");
const hasGo = (await findGo(source)).kind === "found";
const skip = hasGo ? false : "NOT TESTED: no Go to build promlint with";

test("promlint finds nothing wrong with an operator at work", { skip, timeout: 300_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "promlint-"));
  try {
    await run("go", ["build", "-trimpath", "-o", folder, "."], { cwd: source, env: { CGO_ENABLED: "0" } });
    const found = await run(join(folder, "promlint"), [], { input: await read("/metrics") }).catch((error: unknown) => {
      if (error instanceof CommandError) return error.stderr;
      throw error;
    });
    assert.equal(found, "");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("the metrics of a relay vanish with it", async () => {
  await harness.admin.delete(relayResource, at);
  await eventually("they are gone", async () => {
    const text = await read("/metrics");
    return text.includes('namespace="measured"') ? undefined : true;
  });
});

test("/livez of an operator at work passes", async () => {
  assert.equal(await read("/livez"), "ok\n");
});
