import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { labelText } from "./ledger/exposition.ts";
import { metricGroups } from "./ledger/metric-groups.ts";
import { makeWorld } from "./ledger/testing/sources.ts";
import { createMetrics } from "./metrics.ts";

const golden = new URL("ledger/testdata/metrics.txt", import.meta.url);
const table = metricGroups.flatMap(({ metrics }) => metrics);

test("createMetrics() writes every counter of its sources, as testdata/metrics.txt has them", async () => {
  await using world = await makeWorld();
  const own = ownLines(await createMetrics(world.sources).metrics());
  const text = `${own.filter((line) => !line.startsWith("# HELP")).join("\n")}\n`;
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, "utf8"));
});

test("createMetrics() writes all of the table, with labels and values as it says", async () => {
  await using world = await makeWorld();
  const lines = ownLines(await createMetrics(world.sources).metrics());
  for (const { name, type, labels, help } of table) {
    assert.ok(lines.includes(`# HELP ${name} ${help}`), name);
    assert.ok(lines.includes(`# TYPE ${name} ${type}`), name);
    const samples = lines.flatMap((line) => new RegExp(`^${name}(?:\\{(.*)\\})? \\S+$`).exec(line) ?? []);
    for (const [label, values] of Object.entries(labels)) {
      for (const sample of samples.filter((_, index) => index % 2 === 1)) {
        const value = new RegExp(`(?:^|,)${label}="([^"]*)"`).exec(sample)?.[1];
        assert.ok(value !== undefined && (typeof values === "string" || values.includes(value)), `${name}{${sample}}`);
      }
    }
    const names = Object.keys(labels);
    const [, first = ""] = samples;
    assert.equal(first.split(",").length, Math.max(1, names.length), `labels of ${name}`);
  }
});

test("createMetrics(): names follow the conventions, and help fits a line", () => {
  assert.equal(new Set(table.map(({ name }) => name)).size, table.length, "each once");
  for (const { name, type, help } of table) {
    assert.match(name, /^kubearmor_relay_[a-z_]+$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    assert.match(help, /^[^\n|]+\.$/, name);
  }
});

test("createMetrics() leaves out what it has no source for", async () => {
  await using world = await makeWorld();
  const { version, hub, nodes, subscriptions, stdout, watches, settingsErrors } = world.sources;
  const text = await createMetrics({
    version,
    hub,
    nodes,
    subscriptions,
    stdout,
    watches,
    settingsErrors,
  }).metrics();
  for (const part of ["stdout_leader", "stdout_terms", "watch_restarts", "enriched", "client_"])
    assert.ok(!text.includes(`kubearmor_relay_${part}`), part);
  assert.match(text, /^kubearmor_relay_unaccounted_events\{feed="alerts",hop="stdout"\} 0$/m);
});

test("createMetrics() shows at which hop events are unaccounted for", async () => {
  await using world = await makeWorld();
  const stdoutExpected = (feed: string) => world.sources.stdoutExpected("alerts") + (feed === "alerts" ? 3 : 0);
  const text = await createMetrics({ ...world.sources, stdoutExpected }).metrics();
  assert.match(text, /^kubearmor_relay_unaccounted_events\{feed="alerts",hop="stdout"\} 3$/m);
});

test("createMetrics() has the process's metrics too, none of them twice", async () => {
  await using world = await makeWorld();
  const text = await createMetrics(world.sources).metrics();
  const families = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
  assert.equal(new Set(families).size, families.length);
  for (const name of ["process_cpu_seconds_total", "process_resident_memory_bytes", "nodejs_eventloop_lag_p99_seconds"])
    assert.ok(families.includes(name), name);
  const samples = [...text.matchAll(/^([a-z]\S*) \S+$/gm)].map(([, series]) => series);
  assert.equal(new Set(samples).size, samples.length, "series are unique");
});

test("createMetrics(): a thousand nodes have series of their own, the others share one", async () => {
  await using world = await makeWorld();
  const { pool } = world;
  const agents = Array.from({ length: 1_200 }, (_, index) => ({
    id: `uid-${index}`,
    name: `n${index}`,
    endpoints: [{ host: `10.${index >> 8}.${index & 255}.1`, port: 1 }],
  }));
  pool.update("more", agents);
  const registry = createMetrics(world.sources);
  const labels = nodesIn(await registry.metrics());
  assert.equal(labels.length, 1_001);
  assert.equal(labels.at(-1), labelText({ node: "_other" }));
  pool.update("more", []);
  assert.equal(nodesIn(await registry.metrics()).length, 4, "and what it has counted stays");
});

function ownLines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line.includes("kubearmor_relay_"));
}

/** The labels of the nodes that have series. */
function nodesIn(text: string): readonly (string | undefined)[] {
  return [...text.matchAll(/^kubearmor_relay_node_connected\{(.*)\}/gm)].map(([, labels]) => labels);
}
