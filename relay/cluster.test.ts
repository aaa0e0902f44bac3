import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../lib/process/fake-clock.ts";
import { type LogFields, silentLog } from "../lib/process/log.ts";
import { connectToCluster } from "./cluster.ts";

function connect(isNeeded: boolean) {
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (message: string, _fields?: LogFields) => warnings.push(message) };
  const deps = { version: "0", clock: new FakeClock(), random: () => 0.5, log };
  const cluster = connectToCluster({ kubeconfig: "/nowhere/kubeconfig", isNeeded }, deps);
  return { cluster, warnings };
}

test("connectToCluster() does without a cluster that is not needed and cannot be found, and says so", () => {
  const { cluster, warnings } = connect(false);
  assert.equal(cluster, undefined);
  assert.equal(warnings.length, 1);
});

test("connectToCluster() throws when the cluster is needed", () => {
  assert.throws(() => connect(true), /nowhere/);
});
