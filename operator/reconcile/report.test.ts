import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../lib/kube/errors.ts";
import { configMaps, deployments } from "../../lib/kube/resources.ts";
import type { KubeClient, KubeObject, Resource } from "../../lib/kube/types.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { textHash } from "../../lib/process/text-hash.ts";
import { type Relay, type RelayStatus, parseRelay, relayResource } from "../api/relay.ts";
import type { Report } from "../decide/reports.ts";
import { configMap, settingsFile } from "../desired/config-map.ts";
import { deploymentOf, relayOf } from "../testing/samples.ts";
import { Contention } from "./contention.ts";
import { report } from "./report.ts";
import { StatusPace } from "./status-pace.ts";

const key = "kubearmor/kubearmor-relay";
const startMs = Date.UTC(2026, 0, 1);

/** A relay of one pod, whose status is as it is written. */
class World {
  readonly clock = new FakeClock(startMs);
  /** Of what was written, in order. */
  readonly statuses: RelayStatus[] = [];
  readonly events: string[] = [];
  relay = relayOf();
  /** What the server has by the time of a write, besides what the caches know. */
  late: readonly Report[] | undefined;
  /** What another manager holds on to, and no JSON patch gets at. */
  held: RelayStatus = {};
  #memory = { pace: new StatusPace(this.clock), contention: new Contention(this.clock) };

  /** The entry of the pod, as it would be when it has taken up the settings of this spec. */
  entry(fields: Partial<Report> = {}): Report {
    return { pod: "a", settings: textHash(this.#data[settingsFile] ?? ""), stdout: "none", version: "1", ...fields };
  }

  reports(...relays: readonly Report[]): void {
    this.relay = parseRelay({ ...this.relay, status: { ...this.relay.status, relays } });
  }

  /** A change of the spec, which is written to the ConfigMap at once. */
  edit(spec: Parameters<typeof relayOf>[0]): void {
    const { metadata, status } = this.relay;
    const generation = (metadata.generation ?? 0) + 1;
    this.relay = relayOf(spec, { metadata: { ...metadata, generation }, status });
  }

  /** @returns after how many milliseconds it is to be called again */
  async pass(relay: Relay = this.relay): Promise<number> {
    const client = {
      list: () => Promise.resolve([this.#pod]),
      jsonPatch: () => this.#forget(),
      apply: (_resource: Resource, object: KubeObject) => this.#apply(object),
    };
    const deps = {
      ...this.#memory,
      view: {
        covers: () => true,
        get: (resource: Resource) => this.#get(resource),
        childrenOf: () => [],
        relaysWanting: () => [],
        podsOf: () => [this.#pod],
        unseen: () => [],
      },
      client: client as unknown as KubeClient,
      wrote: (_resource: Resource, object: KubeObject) => {
        this.relay = parseRelay(object);
      },
      differences: () => [],
      clock: this.clock,
      log: silentLog,
      record: (_relay: Relay, { reason }: { readonly reason: string }) => this.events.push(reason),
      onWrite() {},
      onDrift() {},
    };
    return await report(key, relay, [], { kind: "applied" }, deps, new AbortController().signal);
  }

  get ready(): string | undefined {
    return this.statuses.at(-1)?.conditions?.find(({ type }) => type === "Ready")?.reason;
  }

  get #data(): Readonly<Record<string, string>> {
    return configMap(this.relay).object["data"] as Readonly<Record<string, string>>;
  }

  get #pod(): KubeObject {
    const ready = { type: "Ready", status: "True", lastTransitionTime: new Date(startMs).toISOString() };
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "a" },
      status: { phase: "Running", conditions: [ready] },
    };
  }

  #get(resource: Resource): KubeObject | undefined {
    const controller = { apiVersion: "", kind: "", name: "", uid: "uid-1", controller: true };
    if (resource === relayResource) return this.relay;
    if (resource === configMaps) return configMap(this.relay).object;
    if (resource !== deployments) return undefined;
    const deployment = deploymentOf();
    return { ...deployment, metadata: { ...deployment.metadata, ownerReferences: [controller] } };
  }

  async #apply(object: KubeObject): Promise<KubeObject> {
    await Promise.resolve();
    const status = object["status"] as RelayStatus;
    this.statuses.push(status);
    const relays = this.late ?? this.relay.status.relays;
    return { ...this.relay, status: { ...this.held, ...status, ...(relays === undefined ? {} : { relays }) } };
  }

  async #forget(): Promise<KubeObject> {
    await Promise.resolve();
    if (Object.keys(this.held).length > 0)
      throw new ApiError(422, { reason: "Invalid" }, { verb: "patch", resource: "" });
    const { relays = [] } = this.relay.status;
    return {
      ...this.relay,
      status: { ...this.relay.status, relays: this.late ?? relays.filter(({ pod }) => pod === "a") },
    };
  }
}

/** All is well, and said. */
async function readyWorld(): Promise<World> {
  const world = new World();
  world.reports(world.entry());
  await world.pass();
  assert.equal(world.ready, "RelayReady");
  world.statuses.length = 0;
  world.events.length = 0;
  world.clock.advance(30_000);
  return world;
}

test("report(): a change of live settings and its success are one write, and no Event", async () => {
  const world = await readyWorld();
  world.edit({ stdout: { alerts: true } });
  assert.equal(await world.pass(), 2_000);
  world.clock.advance(700);
  world.reports(world.entry({ stdout: "alerts" }));
  assert.equal(await world.pass(), 0);
  assert.deepEqual(
    world.statuses.map(({ observedGeneration, stdout }) => [observedGeneration, stdout]),
    [[4, "alerts"]],
  );
  assert.deepEqual(world.events, []);
});

test("report(): a pod that does not confirm is waited for, is said to be awaited after two seconds, and to be silent after sixty", async () => {
  const world = await readyWorld();
  world.edit({ stdout: { alerts: true } });
  await world.pass();
  world.clock.advance(2_000);
  // Ready for 32 s, and the ConfigMap of this world has no date.
  assert.equal(await world.pass(), 28_000);
  assert.equal(world.ready, "AwaitingReport");
  assert.equal(world.statuses[0]?.stdout, undefined);
  world.clock.advance(28_000);
  await world.pass();
  assert.equal(world.ready, "NotReporting");
  assert.deepEqual(world.events, ["NotReporting"]);
});

test("report(): settings that change all the while are still told to be awaited after two seconds", async () => {
  const world = await readyWorld();
  for (let index = 0; index < 30; index += 1) {
    world.edit({ clusterName: `cluster-${index}` });
    await world.pass();
    world.clock.advance(100);
  }
  assert.equal(world.ready, "AwaitingReport");
  assert.equal(world.statuses.length, 1);
});

test("report(): what is counted all the time is written every ten seconds", async () => {
  const world = await readyWorld();
  for (let index = 0; index < 25; index += 1) {
    world.reports(world.entry({ loss: { dropped: index } }));
    await world.pass();
    world.clock.advance(1_000);
  }
  assert.deepEqual(
    world.statuses.map(({ loss }) => loss?.dropped),
    [0, 10, 20],
  );
});

test("report(): a problem is told at once, and so is its end", async () => {
  const world = await readyWorld();
  world.reports(world.entry({ problem: "pods is forbidden" }));
  await world.pass();
  world.reports(world.entry());
  await world.pass();
  assert.deepEqual(world.events, ["RelayProblem", "RelayReady"]);
});

test("report(): a report that came just before a write of ours is looked at", async () => {
  const world = new World();
  world.clock.advance(10_000);
  await world.pass();
  world.clock.advance(2_000);
  world.late = [world.entry()];
  assert.equal(await world.pass(), 1, "its own watch event will be older than the write");
  assert.equal(world.ready, "AwaitingReport");
  await world.pass();
  assert.equal(world.ready, "RelayReady");
});

test("report(): every change of live settings is waited for anew", async () => {
  const world = await readyWorld();
  for (const alerts of [true, false, true]) {
    world.edit({ stdout: { alerts } });
    assert.equal(await world.pass(), 2_000);
    world.clock.advance(700);
    world.reports(world.entry({ stdout: alerts ? "alerts" : "none" }));
    await world.pass();
    world.clock.advance(10_000);
  }
  assert.deepEqual(
    world.statuses.map(({ stdout }) => stdout),
    ["alerts", "none", "alerts"],
  );
  assert.equal(world.ready, "RelayReady");
});

test("report(): what is counted is no progress, and is written every ten seconds while pods are waited for, too", async () => {
  const world = await readyWorld();
  world.edit({ stdout: { alerts: true } });
  const old = world.entry({ settings: "old" });
  await world.pass();
  for (let index = 0; index < 25; index += 1) {
    world.clock.advance(1_000);
    world.reports({ ...old, loss: { dropped: index } });
    await world.pass();
  }
  assert.deepEqual(
    world.statuses.map(({ loss }) => loss?.dropped),
    [1, 11, 21],
  );
  assert.equal(world.ready, "AwaitingReport");
});

test("report(): a pod that changes its mind all the time costs a few writes at once, and then one a second", async () => {
  const world = await readyWorld();
  for (let index = 0; index < 200; index += 1) {
    world.reports(world.entry(index % 2 === 0 ? { problem: "pods is forbidden" } : {}));
    await world.pass();
    world.clock.advance(55);
  }
  assert.ok(world.statuses.length > 10 && world.statuses.length <= 5 + 11, `${world.statuses.length} writes`);
});

test("report(): a pod is not called silent because the operator's clock is ahead", async () => {
  const world = new World();
  world.clock.advance(70_000);
  assert.equal(await world.pass(), 10_000);
  world.clock.advance(1_000);
  world.reports(world.entry());
  await world.pass();
  assert.deepEqual(world.events, ["RelayReady"]);
});

test("report(): nothing is said about a relay that has been made anew meanwhile", async () => {
  const world = await readyWorld();
  const before = world.relay;
  world.relay = parseRelay({ ...before, metadata: { ...before.metadata, uid: "uid-2" }, status: {} });
  assert.equal(await world.pass(before), 0);
  assert.deepEqual(world.statuses, []);
});

test("report(): nothing is said about a spec that has changed meanwhile", async () => {
  const world = await readyWorld();
  const before = world.relay;
  world.edit({ replicas: 2 });
  assert.equal(await world.pass(before), 0);
  assert.deepEqual(world.statuses, []);
});

test("report(): a report that came just before an entry was removed is looked at", async () => {
  const world = await readyWorld();
  world.reports(world.entry(), { pod: "gone" });
  world.late = [world.entry({ problem: "pods is forbidden" })];
  assert.equal(await world.pass(), 1, "its own watch event will be older than the removal");
  assert.deepEqual(world.statuses, []);
  await world.pass();
  assert.equal(world.ready, "RelayProblem");
});

test("report(): what others wrote and could not be taken away is looked at again", async () => {
  const world = await readyWorld();
  world.held = { stdout: "old" };
  world.edit({ stdout: { alerts: true } });
  await world.pass();
  world.clock.advance(2_000);
  assert.equal(await world.pass(), 1);
  assert.equal(world.ready, "AwaitingReport");
});

test("report(): the removal of an entry is followed by no other pass", async () => {
  const world = await readyWorld();
  world.reports(world.entry(), { pod: "gone" });
  assert.equal(await world.pass(), 0);
  assert.deepEqual(world.statuses, []);
});
