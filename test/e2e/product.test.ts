import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { buildImages, DEFAULT_PREFIX, programNames } from "../../hack/images/images.ts";
import { applySample, CRDS, createNamespace, installOperator, NAMESPACE, RELAY } from "../../hack/run/install.ts";
import { type LocalNodeCluster, localNodeCluster } from "../../hack/testbed/cluster/local-node.ts";
import { testbedPaths } from "../../hack/testbed/config.ts";
import { eventually, skipWithoutNode } from "./testbed-support.ts";

const agents = 50;
const skip = await skipWithoutNode();
const CHECK = path.join(import.meta.dirname, "..", "..", "hack", "check", "main.ts");

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly observedGeneration: number;
}

interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly status: { readonly containerStatuses?: readonly { readonly restartCount: number }[] };
}

describe("The product on a real node", { skip }, () => {
  const stack = new AsyncDisposableStack();
  const never = new AbortController().signal;
  let cluster: LocalNodeCluster;

  before(async () => {
    const archive = await buildImages(programNames, { cache: testbedPaths().cache, prefix: DEFAULT_PREFIX });
    cluster = stack.use(await localNodeCluster({ crds: [CRDS], images: [archive] }));
    stack.use(await installOperator(cluster, never));
    stack.use(await createNamespace(cluster, never));
    stack.use(await cluster.startAgents(NAMESPACE, { count: agents, alertsPerSecond: 2, logsPerSecond: 2 }));
  });
  after(() => stack.disposeAsync());

  const kubectl = (...args: readonly string[]) => cluster.kubectl(["-n", NAMESPACE, ...args]);
  const json = async <T>(...args: readonly string[]) => JSON.parse(await kubectl("get", ...args, "-o", "json")) as T;
  const conditions = async () => {
    const relay = await json<{ metadata: { generation: number }; status: { conditions?: readonly Condition[] } }>(
      RELAY,
    );
    const found = relay.status.conditions ?? [];
    return { generation: relay.metadata.generation, of: (type: string) => found.find((one) => one.type === type) };
  };
  const ready = async () => {
    const { generation, of } = await conditions();
    const condition = of("Ready");
    return condition?.status === "True" && condition.observedGeneration === generation;
  };
  const pods = async () => (await json<{ items: readonly Pod[] }>("pods", "-l", "kubearmor-app=kubearmor-relay")).items;
  /** What the relay has printed, as events. */
  const printed = async () => {
    const lines = (await kubectl("logs", "deployment/kubearmor-relay", "--tail=-1")).split("\n");
    return lines
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as { readonly Type?: string; readonly HostName?: string })
      .filter(({ Type }) => Type !== undefined);
  };

  test("a resource goes Ready, and the relay prints alerts of every agent", async () => {
    stack.use(await applySample(cluster, never));
    await eventually("Ready", ready, 60_000);
    await eventually(
      "alerts of every agent",
      async () => new Set((await printed()).map(({ HostName }) => HostName)).size === agents,
      60_000,
    );
    assert.ok((await printed()).every(({ Type }) => Type !== "ContainerLog" && Type !== "HostLog"));
  });

  test("a client in the cluster gets the events of every agent at the Service, none lost", async () => {
    const address = await kubectl(
      "get",
      "service",
      "kubearmor",
      "-o",
      "jsonpath={.spec.clusterIP}:{.spec.ports[0].port}",
    );
    await cluster.node.in(process.execPath, [
      CHECK,
      `--address=${address}`,
      "--events=2000",
      `--expect-agents=${agents}`,
    ]);
  });

  test("a switch on the resource takes effect in the same pod, and no stream of an agent breaks", async () => {
    const [pod] = await pods();
    const generation = await kubectl("get", "deployment", "kubearmor-relay", "-o", "jsonpath={.metadata.generation}");
    await kubectl("patch", RELAY, "--type=merge", "-p", '{"spec":{"stdout":{"logs":true,"alerts":false}}}');
    await eventually("logs are printed", async () => (await printed()).some(({ Type }) => Type === "ContainerLog"));
    const [same, ...others] = await pods();
    assert.equal(same?.metadata.uid, pod?.metadata.uid);
    assert.equal(same?.status.containerStatuses?.[0]?.restartCount, 0);
    assert.deepEqual(others, []);
    assert.equal(
      await kubectl("get", "deployment", "kubearmor-relay", "-o", "jsonpath={.metadata.generation}"),
      generation,
    );
    const metrics = await kubectl(
      "get",
      "--raw",
      `/api/v1/namespaces/${NAMESPACE}/pods/${same?.metadata.name}:8080/proxy/metrics`,
    );
    for (const feed of ["alerts", "logs", "messages"]) {
      assert.match(metrics, new RegExp(`kubearmor_relay_stream_breaks_total\\{feed="${feed}"\\} 0$`, "m"));
    }
  });

  test("a pod that cannot start is named in the conditions while the old one serves", async () => {
    const [pod] = await pods();
    await kubectl(
      "patch",
      RELAY,
      "--type=merge",
      "-p",
      '{"spec":{"image":"localhost/nowhere:1","imagePullPolicy":"Never"}}',
    );
    await eventually("the reason is named", async () => {
      const { generation, of } = await conditions();
      const condition = of("Ready");
      return (
        condition?.observedGeneration === generation &&
        condition.status === "False" &&
        condition.reason === "ImagePullFailed"
      );
    });
    assert.ok((await pods()).some(({ metadata }) => metadata.uid === pod?.metadata.uid));
    await kubectl("patch", RELAY, "--type=merge", "-p", '{"spec":{"image":"","imagePullPolicy":"IfNotPresent"}}');
    await eventually("Ready again", ready, 60_000);
  });

  test("what is deleted or changed by others is put back", async () => {
    await kubectl("delete", "service", "kubearmor");
    await kubectl(
      "patch",
      "configmap",
      "kubearmor-relay",
      "--type=merge",
      "-p",
      '{"data":{"ENABLE_STDOUT_LOGS":"maybe"}}',
    );
    await eventually(
      "the Service is back",
      async () => (await kubectl("get", "service", "kubearmor", "--ignore-not-found", "-o", "name")) !== "",
    );
    await eventually("the ConfigMap is as it was", async () => {
      return (
        (await kubectl("get", "configmap", "kubearmor-relay", "-o", "jsonpath={.data.ENABLE_STDOUT_LOGS}")) === "true"
      );
    });
  });

  test("a deleted resource takes everything with it", async () => {
    await kubectl("delete", RELAY, "--wait=true");
    await eventually(
      "nothing is left",
      async () => {
        const own = "app.kubernetes.io/managed-by=kubearmor-relay-operator";
        const left = await kubectl(
          "get",
          "deployment,service,configmap,serviceaccount,role,rolebinding,clusterrole,clusterrolebinding",
          "-l",
          own,
          "-o",
          "name",
        );
        return left.trim() === "" && (await pods()).length === 0;
      },
      60_000,
    );
  });
});
