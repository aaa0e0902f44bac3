import assert from "node:assert/strict";
import { test } from "node:test";
import { agentDeployment } from "./agent-pods.ts";
import { agentArgs } from "./cluster.ts";

const load = { count: 7, alertsPerSecond: 0.5, logsPerSecond: 2 };

test("agentDeployment() makes as many pods as agents, each with one agent at its own address", () => {
  const text = JSON.stringify(agentDeployment("kubearmor", "localhost/agents:dev", load));
  assert.match(text, /"replicas":7/);
  assert.match(text, /"--count=1","--first-address=\$\(POD_IP\)"/);
  // The label by which relays find agents.
  assert.match(text, /"template":\{"metadata":\{"labels":\{"kubearmor-app":"kubearmor"/);
});

test("agentArgs() are the flags of hack/agents", () => {
  assert.deepEqual(agentArgs(load, "10.201.0.1"), [
    "--count=7",
    "--first-address=10.201.0.1",
    "--port=32767",
    "--alerts-rate=0.5",
    "--logs-rate=2",
  ]);
});
