import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { loadCluster } from "../../lib/kube/credentials.ts";
import { configMaps, deployments, services } from "../../lib/kube/resources.ts";
import type { Resource } from "../../lib/kube/types.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { parseRelay, relayResource } from "../../operator/api/relay.ts";
import { diff } from "../../operator/commands/diff.ts";
import { type Operator, startOperator } from "../../operator/operator.ts";
import { type Asked, type Fault, type FaultProxy, startFaultProxy } from "./operator-fault-proxy.ts";
import { type Harness, eventually, startHarness, untilCondition, writesOf } from "./operator-harness.ts";

let harness: Harness;
let proxy: FaultProxy;

before(async () => {
  harness = await startHarness();
  proxy = await startFaultProxy(loadCluster({ kubeconfig: harness.operatorKubeconfig }));
});

after(async () => {
  await proxy[Symbol.asyncDispose]();
  await harness[Symbol.asyncDispose]();
});

const limit = { timeout: 90_000 };
const relayImage = "localhost/relay:test";

/** With its own rights, and the proxy between it and the server. */
function startBehindProxy(): Promise<Operator> {
  const options = { namespaces: [], httpPort: 0, relayImage, leaderElect: false, concurrency: 4 };
  const deps = { cluster: proxy.cluster, clock: systemClock, random: Math.random, log: silentLog };
  return startOperator({ ...options, leaseNamespace: undefined }, deps);
}

/** The live objects are as the live relay wants them. */
async function untilAsDesired(namespace: string, name: string): Promise<void> {
  await eventually(`the objects of ${namespace}/${name} are as desired`, async () => {
    const relay = await harness.admin.get(relayResource, { namespace, name });
    assert.ok(relay);
    const options = { defaultImage: relayImage };
    const lines = await diff(parseRelay(relay), options, harness.admin, new AbortController().signal);
    return lines.length === 0 ? true : undefined;
  });
}

const isApply = ({ method, path }: Asked): boolean => method === "PATCH" && !path.includes("/events/");
const isList = ({ method, path, isWatch }: Asked): boolean => method === "GET" && !isWatch && path.includes("limit=");

/** Every so manieth of these requests has the fault. */
function every(nth: number, which: (asked: Asked) => boolean, fault: Fault): FaultProxy["fault"] {
  let seen = 0;
  return (asked) => {
    if (!which(asked)) return undefined;
    seen += 1;
    return seen % nth === 0 ? fault : undefined;
  };
}

/** The first watch of each kind has the fault. */
function firstWatches(fault: Fault): FaultProxy["fault"] {
  const seen = new Set<string>();
  return ({ path, isWatch }) => {
    const kind = path.split("?")[0] ?? "";
    if (!isWatch || seen.has(kind)) return undefined;
    seen.add(kind);
    return fault;
  };
}

const cases: Readonly<Record<string, () => FaultProxy["fault"]>> = {
  "applies are refused with 429 and Retry-After": () =>
    every(3, isApply, { kind: "answer", code: 429, retryAfterSeconds: 1 }),
  "applies are answered with 500": () => every(3, isApply, { kind: "answer", code: 500 }),
  "connections are reset before an apply is done": () => every(3, isApply, { kind: "reset" }),
  "answers to applies are lost": () => every(4, isApply, { kind: "lost-answer" }),
  "lists are answered with 500 and 503": () => every(2, isList, { kind: "answer", code: 503 }),
  "lists come in crumbs": () => every(1, isList, { kind: "slow" }),
  "lists are cut off": () => every(2, isList, { kind: "cut", afterBytes: 40 }),
  "watches are refused with 410": () => firstWatches({ kind: "answer", code: 410 }),
  "watches say 410 in their stream": () => firstWatches({ kind: "expired-in-stream" }),
  "watches break within a line": () => firstWatches({ kind: "cut", afterBytes: 700 }),
  "everything is late": () => every(1, () => true, { kind: "late", ms: 150 }),
};

for (const [index, [sentence, faultOf]] of Object.entries(cases).entries()) {
  test(`${sentence}: a relay is made all the same, and the next change is heard of`, limit, async () => {
    const at = { namespace: `fault-${index}`, name: "relay" };
    await harness.createNamespace(at.namespace);
    proxy.fault = faultOf();
    const earlier = proxy.count;
    await using operator = await startBehindProxy();
    await harness.createRelay(at.namespace, at.name, {});
    await operator.working;
    await untilCondition(harness.admin, at, "Ready", "True");
    assert.ok(proxy.count > earlier, "there were faults");
    await harness.admin.mergePatch(relayResource, at, { spec: { stdout: { alerts: true } } });
    await untilAsDesired(at.namespace, at.name);
    // Of this case only: what it left behind is not the next one's to look after.
    await harness.admin.delete(relayResource, at, { propagationPolicy: "Background" });
    await eventually("it is gone", async () =>
      (await harness.admin.get(relayResource, at)) === undefined ? true : undefined,
    );
  });
}

/** Of objects; Events are told of after the fact. */
async function countWrites(): Promise<number> {
  return writesOf(await harness.requests()).filter(({ uri }) => !uri.includes("/events")).length;
}

/** https://en.wikipedia.org/wiki/Linear_congruential_generator: the same walk for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const walkMs = 20_000;
const seed = Number(process.env["WALK_SEED"] ?? Date.now() % 100_000);

test(`a walk of random edits, deletions and faults (WALK_SEED=${seed}): it ends as desired, and in silence`, {
  timeout: 180_000,
}, async () => {
  const random = randomOf(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const namespace = "walk";
  const names = ["a", "b", "c"];
  await harness.createNamespace(namespace);
  proxy.fault = () => undefined;
  await using operator = await startBehindProxy();
  await operator.working;
  for (const name of names) await harness.createRelay(namespace, name, { service: { name: `svc-${name}` } });
  const faults: readonly Fault[] = [
    { kind: "answer", code: 500 },
    { kind: "answer", code: 429, retryAfterSeconds: 1 },
    { kind: "reset" },
    { kind: "lost-answer" },
    { kind: "late", ms: 200 },
    { kind: "cut", afterBytes: 500 },
  ];
  proxy.fault = () => (random() < 0.1 ? pick(faults) : undefined);
  const edit = (resource: Resource, name: string, patch: object) =>
    harness.admin.mergePatch(resource, { namespace, name }, patch);
  const steps: readonly ((name: string) => Promise<unknown>)[] = [
    (name) => edit(relayResource, name, { spec: { stdout: { logs: random() < 0.5 } } }),
    (name) => edit(relayResource, name, { spec: { replicas: Math.floor(random() * 4) } }),
    (name) => edit(relayResource, name, { spec: { networkPolicy: { enabled: random() < 0.5 } } }),
    (name) => edit(relayResource, name, { spec: { service: { name: `svc-${name}${pick(["", "-x"])}` } } }),
    (name) => edit(relayResource, name, { spec: { podLabels: { walk: pick(["1", "2"]) } } }),
    (name) => edit(configMaps, name, { data: { ENABLE_STDOUT_LOGS: pick(["true", "maybe"]) } }),
    (name) => edit(deployments, name, { spec: { replicas: 5, paused: true } }),
    (name) => edit(services, `svc-${name}`, { spec: { selector: { stolen: "yes" } } }),
    (name) => edit(configMaps, name, { metadata: { labels: null } }),
    (name) =>
      harness.admin.delete(pick([configMaps, deployments]), { namespace, name }, { propagationPolicy: "Background" }),
    (name) => harness.admin.delete(services, { namespace, name: `svc-${name}` }),
    async (name) => {
      await harness.admin.delete(relayResource, { namespace, name }, { propagationPolicy: "Background" });
      await eventually("it is gone", async () => {
        const there = await harness.admin.get(relayResource, { namespace, name });
        return there === undefined ? true : undefined;
      });
      await harness.createRelay(namespace, name, { service: { name: `svc-${name}` } });
    },
  ];
  const untilMs = performance.now() + walkMs;
  while (performance.now() < untilMs) {
    // What is being made anew cannot be edited, which is as good a step as any.
    await pick(steps)(pick(names)).catch(() => undefined);
    await pause(random() * 200);
  }
  proxy.fault = () => undefined;
  for (const name of names) await untilAsDesired(namespace, name);
  await eventually("nothing is written for three seconds", async () => {
    const earlier = await countWrites();
    await pause(3_000);
    return (await countWrites()) === earlier ? true : undefined;
  });
  for (const name of names) {
    await untilAsDesired(namespace, name);
    await untilCondition(harness.admin, { namespace, name }, "Applied", "True");
  }
});
