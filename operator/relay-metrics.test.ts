import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "prom-client";
import type { Relay } from "./api/relay.ts";
import { conditionTypes } from "./decide/reasons.ts";
import { createEventAgeMetric, createRelayMetrics } from "./relay-metrics.ts";
import { relayOf } from "./testing/samples.ts";

const lastTransitionTime = "2026-01-01T00:00:00Z";
const ready = { type: "Ready", status: "True", reason: "RelayReady", message: "", lastTransitionTime } as const;
const status = { conditions: [ready], version: "1.2.3", image: "relay:1", agents: { seen: 4, connected: 3 } };

interface World {
  relays: readonly Relay[];
  isLeader: boolean;
}

/** The series of a metric, without its name. */
function start(world: World): (metric: string) => Promise<readonly string[]> {
  const registry = new Registry();
  createRelayMetrics(registry, { relays: () => world.relays, isLeader: () => world.isLeader });
  return async (metric) => {
    const text = await registry.getSingleMetricAsString(metric);
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return lines.map((line) => line.slice(metric.length));
  };
}

const one = 'namespace="kubearmor",name="kubearmor-relay"';

test("createRelayMetrics() tells the version, the image and the agents of every relay", async () => {
  const series = start({ relays: [relayOf({}, { status })], isLeader: true });
  assert.deepEqual(await series("kubearmorrelay_info"), [`{${one},version="1.2.3",image="relay:1"} 1`]);
  assert.deepEqual(await series("kubearmorrelay_agents"), [`{${one},state="seen"} 4`, `{${one},state="connected"} 3`]);
});

test("createRelayMetrics() tells both states of each condition, of absent ones as well", async () => {
  const series = await start({ relays: [relayOf({}, { status })], isLeader: true })("kubearmorrelay_condition");
  assert.equal(series.length, conditionTypes.length * 2);
  assert.deepEqual(series.slice(0, 2), [
    `{${one},type="Ready",status="true"} 1`,
    `{${one},type="Ready",status="false"} 0`,
  ]);
  assert.ok(series.includes(`{${one},type="Stalled",status="true"} 0`));
});

test("createRelayMetrics(): the series vanish with the relay, and with the lease", async () => {
  const world: World = { relays: [relayOf({}, { status })], isLeader: true };
  const series = start(world);
  const count = async () => {
    const names = ["kubearmorrelay_info", "kubearmorrelay_condition", "kubearmorrelay_agents"];
    return (await Promise.all(names.map(series))).flat().length;
  };
  assert.equal(await count(), 3 + 2 * conditionTypes.length);
  world.isLeader = false;
  assert.equal(await count(), 0);
  world.isLeader = true;
  world.relays = [];
  assert.equal(await count(), 0);
});

test("createEventAgeMetric() tells the age for each kind, in seconds", async () => {
  const registry = new Registry();
  createEventAgeMetric(registry, () => new Map([["Pod", 1_500]]));
  const text = await registry.metrics();
  assert.match(text, /^kubearmorrelay_last_event_age_seconds\{kind="Pod"\} 1\.5$/m);
});
