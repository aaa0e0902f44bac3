import assert from "node:assert/strict";
import { after, before, describe, test, type TestContext } from "node:test";
import { NAMESPACE, RELAY } from "../../hack/run/install.ts";
import { NODE_NAME } from "../../hack/testbed/node/files.ts";
import { type ProductNode, startProduct } from "./product-node.ts";
import { serviceRecord } from "./service-record.ts";
import { eventually, skipWithoutNode } from "./testbed-support.ts";
import { type EndpointRecord, recordEndpoints, type RunningSubscriber, startSubscriber } from "./watching.ts";

const agents = 12;
const alertsPerSecond = 10;
/** Several, so that every pod serves one. */
const subscriberCount = 3;
/** What an agent produces in three seconds: a client's reconnect takes one at most, and a busy machine its time. */
const mostMissed = 3 * alertsPerSecond;
const limitMs = 90_000;
const skip = await skipWithoutNode();

describe("Several replicas on a real node", { skip }, () => {
  const stack = new AsyncDisposableStack();
  let product: ProductNode;
  let subscribers: readonly RunningSubscriber[];
  let endpoints: EndpointRecord;

  before(async () => {
    product = stack.use(await startProduct({ count: agents, alertsPerSecond, logsPerSecond: 0 }));
    const relay = {
      apiVersion: "operator.kubearmor.com/v1alpha1",
      kind: "KubeArmorRelay",
      metadata: { name: "kubearmor-relay", namespace: NAMESPACE },
      spec: { replicas: 2, stdout: { alerts: true } },
    };
    await product.cluster.kubectl(["apply", "--server-side", "-f", "-"], { input: JSON.stringify(relay) });
    await eventually("two replicas are Ready", () => isSettled(2), limitMs);
    endpoints = stack.use(recordEndpoints(product.cluster, "kubearmor"));
    const address = await product.kubectl(
      "get",
      "service",
      "kubearmor",
      "-o",
      "jsonpath={.spec.clusterIP}:{.spec.ports[0].port}",
    );
    subscribers = Array.from({ length: subscriberCount }, () => stack.use(startSubscriber(product.cluster, address)));
    await areServed();
  });
  after(() => stack.disposeAsync());

  /** Ready for the newest spec, and so many pods, none of which is on its way out. */
  const isSettled = async (replicas: number) => (await product.isReady()) && (await product.pods()).length === replicas;
  const uids = async () => (await product.pods()).map(({ metadata }) => metadata.uid).toSorted();
  const reports = () => Promise.all(subscribers.map((subscriber) => subscriber.report()));
  /** Every subscriber has a stream that brings events of every agent, and goes on. */
  const areServed = async () => {
    const seen = (await reports()).map((subscriptions) => subscriptions.at(-1)?.events ?? 0);
    let states: readonly string[] = [];
    try {
      await eventually("every subscriber hears of every agent", async () => {
        const newest = (await reports()).map((subscriptions) => subscriptions.at(-1));
        const heard = newest.map((one) => new Set(one?.sequences.map(({ agent }) => agent)).size);
        states = newest.map((one, index) => `${heard[index]} agents, ${one?.events} events, ${one?.end ?? "open"}`);
        return newest.every(
          (one, index) => one?.end === undefined && heard[index] === agents && one?.events !== seen[index],
        );
      });
    } catch (cause) {
      throw new Error(`Subscribers are not served: ${states.join("; ")}`, { cause });
    }
  };
  /**
   * Nothing is missing within a stream. Between two streams there is only what a reconnect takes: for every agent fewer
   * events than it makes in that time. And at no time was the Service without an address that takes connections.
   */
  const assertServed = async (t: TestContext) => {
    t.diagnostic(`addresses of the Service, of late: ${endpoints.ready.slice(-12).join(", ")}`);
    assert.ok(!endpoints.ready.includes(0), `the Service had ${endpoints.ready.join(", ")} addresses`);
    await areServed();
    const records = (await reports()).map(serviceRecord);
    const missed = records.flatMap((record) => record.missed);
    t.diagnostic(
      `so far ${records.flatMap(({ ends }) => ends).length} ends of streams, at most ${Math.max(0, ...missed)} events of an ` +
        `agent missed, ${Math.round(Math.max(0, ...records.flatMap(({ awayMs }) => awayMs)))} ms away, ` +
        `${records.flatMap(({ failures }) => failures).length} attempts that failed`,
    );
    for (const record of records) {
      assert.equal(record.lostInStreams, 0);
      assert.deepEqual(
        record.missed.filter((count) => count > mostMissed),
        [],
      );
      // As the server ends them, not as connections break.
      assert.deepEqual(
        record.ends.filter((end) => !end.startsWith("OK")),
        [],
      );
    }
  };
  const endCount = async () => (await reports()).map(serviceRecord).flatMap(({ ends }) => ends).length;

  test("a rolling update: every pod is another, and subscribers are served", async (t) => {
    const old = await uids();
    const ends = await endCount();
    await product.patchSpec({ podAnnotations: { "test.kubearmor-relay/round": "1" } });
    await eventually("the rollout is complete", () => isSettled(2), limitMs);
    assert.ok((await uids()).every((uid) => !old.includes(uid)));
    // One came and another went, twice: the record sees what there is to see.
    assert.ok(endpoints.ready.includes(3), `the Service had ${endpoints.ready.join(", ")} addresses`);
    assert.ok((await endCount()) >= ends + subscriberCount, "the subscribers' streams were on the old pods");
    await assertServed(t);
  });

  test("scaled to 3, to 1 and back to 2: subscribers are served", async (t) => {
    for (const replicas of [3, 1, 2]) {
      await product.kubectl("scale", RELAY, `--replicas=${replicas}`);
      await eventually(`${replicas} replicas are Ready`, () => isSettled(replicas), limitMs);
      await assertServed(t);
    }
  });

  test("switches: the same pods, no stream ends, and the status tells what all confirm", async (t) => {
    const old = await uids();
    const ends = await endCount();
    const breaks = await streamBreaks();
    const startMs = performance.now();
    await product.patchSpec({ stdout: { alerts: false, logs: true, messages: true } });
    const columns = async () => {
      const [heads = "", row = ""] = (await product.kubectl("get", RELAY)).split("\n");
      const names = heads.split(/ {2,}/);
      const cells = row.split(/ {2,}/);
      return Object.fromEntries(names.map((name, index) => [name.trim(), cells[index]?.trim()]));
    };
    await eventually("the columns tell", async () => {
      const { STDOUT, AGENTS, READY } = await columns();
      return STDOUT === "logs,messages" && AGENTS === String(agents) && READY === "True";
    });
    t.diagnostic(`confirmed after ${Math.round(performance.now() - startMs)} ms`);
    assert.deepEqual(await uids(), old);
    assert.equal(await endCount(), ends);
    assert.deepEqual(await streamBreaks(), breaks);
    await assertServed(t);
  });

  test("a node is drained: the second pod is not evicted before the first is replaced", async (t) => {
    const [first, second] = (await product.pods()).map(({ metadata }) => metadata.name);
    assert.ok(first !== undefined && second !== undefined);
    t.after(() => product.kubectl("uncordon", NODE_NAME));
    await product.kubectl("cordon", NODE_NAME);
    await evict(first);
    await assert.rejects(evict(second), /TooManyRequests|disruption budget/);
    await eventually("one is left", async () => (await product.pods()).length <= 2 && !(await isThere(first)));
    await assert.rejects(evict(second), /TooManyRequests|disruption budget/);
    await assertServed(t);
    await product.kubectl("uncordon", NODE_NAME);
    await eventually("the first is replaced", () => isSettled(2), limitMs);
    await evict(second);
    await eventually("the second is replaced", async () => !(await isThere(second)) && (await isSettled(2)), limitMs);
    await assertServed(t);
  });

  const broken: Readonly<Record<string, { readonly spec: object; readonly reason: string; readonly says: RegExp }>> = {
    "a process that ends at once": {
      spec: { env: [{ name: "NODE_OPTIONS", value: "--no-such-flag" }] },
      reason: "CrashLooping",
      says: /crash/i,
    },
    "an image that is not there": {
      spec: { image: "localhost/nowhere:1", imagePullPolicy: "Never" },
      reason: "ImagePullFailed",
      says: /localhost\/nowhere:1/,
    },
    "a Secret that is not there": {
      spec: { env: [{ name: "TOKEN", valueFrom: { secretKeyRef: { name: "nowhere", key: "token" } } }] },
      reason: "ContainerNotStarted",
      says: /CreateContainerConfigError.*secret "nowhere" not found/,
    },
  };
  const whole = { image: "", imagePullPolicy: "IfNotPresent", env: [], progressDeadlineSeconds: 600 };

  for (const [name, { spec, reason, says }] of Object.entries(broken)) {
    test(`${name}: the conditions name it while the old pods serve`, async (t) => {
      const old = await uids();
      const ends = await endCount();
      await product.patchSpec(spec);
      await eventually(
        `Degraded is ${reason}`,
        async () => {
          const degraded = await product.condition("Degraded");
          return degraded?.status === "True" && degraded.reason === reason && says.test(degraded.message);
        },
        limitMs,
      );
      const now = await uids();
      assert.ok(old.every((uid) => now.includes(uid)));
      assert.equal(await endCount(), ends);
      await product.patchSpec(whole);
      await eventually("Ready again", () => isSettled(2), limitMs);
      await assertServed(t);
    });
  }

  test("a rollout that does not progress in time: Stalled while the old pods serve, and a spec that works ends it", async (t) => {
    const old = await uids();
    const ends = await endCount();
    await product.patchSpec({ image: "localhost/nowhere:1", imagePullPolicy: "Never", progressDeadlineSeconds: 5 });
    await eventually(
      "Stalled",
      async () => {
        const progressing = await product.condition("Progressing");
        const isOverdue = progressing?.status === "False" && progressing.reason === "ProgressDeadlineExceeded";
        return isOverdue && (await product.condition("Stalled"))?.status === "True";
      },
      limitMs,
    );
    const now = await uids();
    assert.ok(old.every((uid) => now.includes(uid)));
    assert.equal(await endCount(), ends);
    await product.patchSpec(whole);
    await eventually("Ready again", () => isSettled(2), limitMs);
    assert.equal(await product.condition("Stalled"), undefined);
    await assertServed(t);
  });

  test("rights: no request of the operator, a relay or anybody else was refused in all of this", async () => {
    const requests = (await product.kubectl("get", "--raw", "/metrics"))
      .split("\n")
      .filter((line) => line.startsWith("apiserver_request_total{"));
    assert.deepEqual(
      requests.filter((line) => /code="40[13]"/.test(line)),
      [],
    );
    // What was refused for another reason is counted here: the look at the counters is no look at nothing.
    assert.ok(requests.some((line) => line.includes('code="429"') && line.includes('subresource="eviction"')));
  });

  /** As `kubectl drain` does, but once. */
  async function evict(pod: string): Promise<void> {
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod, namespace: NAMESPACE } };
    const path = `/api/v1/namespaces/${NAMESPACE}/pods/${pod}/eviction`;
    await product.cluster.kubectl(["create", "--raw", path, "-f", "-"], { input: JSON.stringify(eviction) });
  }

  async function isThere(pod: string): Promise<boolean> {
    return (await product.kubectl("get", "pod", pod, "--ignore-not-found", "-o", "name")) !== "";
  }

  /** As every pod counts them: streams of agents that ended by themselves. */
  async function streamBreaks(): Promise<readonly string[]> {
    const found = await Promise.all(
      (await product.pods()).map(async ({ metadata: { name } }) => {
        const path = `/api/v1/namespaces/${NAMESPACE}/pods/${name}:8080/proxy/metrics`;
        const lines = (await product.kubectl("get", "--raw", path)).split("\n");
        return lines
          .filter((line) => line.startsWith("kubearmor_relay_stream_breaks_total"))
          .map((line) => `${name} ${line}`);
      }),
    );
    return found.flat().toSorted();
  }
});
