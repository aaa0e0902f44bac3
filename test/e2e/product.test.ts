import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { applySample, NAMESPACE, RELAY } from "../../hack/run/install.ts";
import { type ProductNode, startProduct } from "./product-node.ts";
import { eventually, skipWithoutNode } from "./testbed-support.ts";

const agents = 50;
const skip = await skipWithoutNode();
const CHECK = path.join(import.meta.dirname, "..", "..", "hack", "check", "main.ts");

describe("The product on a real node", { skip }, () => {
  const stack = new AsyncDisposableStack();
  let product: ProductNode;

  before(async () => {
    product = stack.use(await startProduct({ count: agents, alertsPerSecond: 2, logsPerSecond: 2 }));
  });
  after(() => stack.disposeAsync());

  const kubectl = (...args: readonly string[]) => product.kubectl(...args);
  const ready = () => product.isReady();
  const pods = () => product.pods();
  /** What the relay has printed, as events. */
  const printed = async () => {
    const lines = (await kubectl("logs", "deployment/kubearmor-relay", "--tail=-1")).split("\n");
    return lines
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as { readonly Type?: string; readonly HostName?: string })
      .filter(({ Type }) => Type !== undefined);
  };

  test("a resource goes Ready, and the relay prints alerts of every agent", async () => {
    stack.use(await applySample(product.cluster, new AbortController().signal));
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
    await product.cluster.node.in(process.execPath, [
      CHECK,
      `--address=${address}`,
      "--events=2000",
      `--expect-agents=${agents}`,
    ]);
  });

  test("a switch on the resource takes effect in the same pod, and no stream of an agent breaks", async () => {
    const [pod] = await pods();
    const generation = await kubectl("get", "deployment", "kubearmor-relay", "-o", "jsonpath={.metadata.generation}");
    await product.patchSpec({ stdout: { logs: true, alerts: false } });
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
    await product.patchSpec({ image: "localhost/nowhere:1", imagePullPolicy: "Never" });
    await eventually("the reason is named", async () => {
      const condition = await product.condition("Ready");
      return condition?.status === "False" && condition.reason === "ImagePullFailed";
    });
    assert.ok((await pods()).some(({ metadata }) => metadata.uid === pod?.metadata.uid));
    await product.patchSpec({ image: "", imagePullPolicy: "IfNotPresent" });
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
