import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { buildNodeImage } from "../../hack/images/images.ts";
import { testbedPaths } from "../../hack/testbed/config.ts";
import { startControlPlane } from "../../hack/testbed/control-plane.ts";
import { addFakeAgentPods, addFakeNodes, HOLD_ANNOTATION } from "../../hack/testbed/kwok.ts";
import { listNodes, startNode } from "../../hack/testbed/node.ts";
import { eventually, skipWithoutNode } from "./testbed-support.ts";

const OWNER = join(import.meta.dirname, "testbed-owner.ts");
const CRDS = join(import.meta.dirname, "..", "..", "crds");
const NODE_IMAGE = "localhost/node24:test";

test("startControlPlane() is a real API server with our CRD, which stores, lists and deletes", async () => {
  await using server = await startControlPlane({ crds: [CRDS], audit: true });
  const { kubectl } = server;
  const manifest = {
    apiVersion: "operator.kubearmor.com/v1alpha1",
    kind: "KubeArmorRelay",
    metadata: { name: "one", namespace: "default" },
    spec: {},
  };
  await kubectl(["apply", "--server-side", "-f", "-"], { input: JSON.stringify(manifest) });
  assert.equal(
    (await kubectl(["get", "kubearmorrelays", "-o", "name"])).trim(),
    "kubearmorrelay.operator.kubearmor.com/one",
  );
  await kubectl(["delete", "kubearmorrelay/one"]);
  assert.equal(await kubectl(["get", "kubearmorrelays", "-o", "name"]), "");
  await assert.rejects(
    kubectl(["create", "-f", "-"], { input: '{"apiVersion":"v1","kind":"Pod"}' }),
    /Cannot run ".*create/,
  );
  assert.match(readFileSync(server.auditLog, "utf8"), /"verb":"delete".*"resource":"kubearmorrelays"/);
});

test("startControlPlane() with kwok has agents of any number, each with its node's address", async () => {
  await using server = await startControlPlane({ kwok: true });
  const { kubectl } = server;
  await addFakeNodes(kubectl, 3, (index) => `127.10.0.${index + 1}`);
  await addFakeAgentPods(kubectl, "kubearmor");
  const addresses = async () =>
    (await kubectl(["-n", "kubearmor", "get", "pods", "-o", "jsonpath={.items[*].status.podIP}"]))
      .split(" ")
      .toSorted();
  await eventually("three agents have addresses", async () => (await addresses()).filter(Boolean).length === 3);
  assert.deepEqual(await addresses(), ["127.10.0.1", "127.10.0.2", "127.10.0.3"]);

  const held = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "held", annotations: { [HOLD_ANNOTATION]: "yes" } },
    spec: { nodeName: "fake-0", containers: [{ name: "x", image: "x" }] },
  };
  await eventually("the default ServiceAccount is there", () =>
    kubectl(["get", "serviceaccount", "default"]).then(
      () => true,
      () => false,
    ),
  );
  await kubectl(["create", "-f", "-"], { input: JSON.stringify(held) });
  const phase = () => kubectl(["get", "pod", "held", "-o", "jsonpath={.status.phase}"]);
  assert.equal(await phase(), "Pending");
  await kubectl(["annotate", "pod", "held", `${HOLD_ANNOTATION}-`]);
  await eventually("the pod runs when it is not held any more", async () => (await phase()) === "Running");
});

test("startControlPlane() leaves nothing when its owner is killed", async () => {
  const { child, dir } = await startOwner("control-plane");
  assert.ok(existsSync(join(dir, "ready")));
  child.kill("SIGKILL");
  await eventually("the state is removed", () => !existsSync(dir));
  assert.deepEqual(processesOf(dir), []);
});

const skip = await skipWithoutNode();

test("startNode() runs real pods, which reach the API by name and stop when told", { skip }, async () => {
  const image = await buildNodeImage(NODE_IMAGE, testbedPaths().cache);
  await using node = await startNode({ images: [image] });
  const script =
    'const get = (host) => require("node:dns").lookup(host, (error, address) => console.log(error?.code ?? address, process.getuid()));' +
    'get("kubernetes.default.svc.cluster.local")';
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "probe" },
    spec: {
      restartPolicy: "Never",
      containers: [
        {
          name: "probe",
          image: NODE_IMAGE,
          imagePullPolicy: "Never",
          args: ["-e", script],
          resources: { limits: { memory: "128Mi" } },
          securityContext: { runAsUser: 4321, runAsNonRoot: true, readOnlyRootFilesystem: true },
        },
      ],
    },
  };
  await node.kubectl(["create", "-f", "-"], { input: JSON.stringify(pod) });
  await node.kubectl(["wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/probe", "--timeout=60s"]);
  assert.equal((await node.kubectl(["logs", "probe"])).trim(), "10.96.0.1 4321");
  // AnyIP: an address nobody configured can be listened on, inside of the node only.
  const listen =
    'require("node:net").createServer().listen(1, "10.201.7.9", function () { console.log("ok"); this.close() })';
  assert.equal(await node.in(process.execPath, ["-e", listen]), "ok\n");
  assert.ok(listNodes().some(({ id }) => id === node.id));
});

test("startNode() leaves nothing when its owner is killed, and lets another run beside it", { skip }, async () => {
  const { child, dir } = await startOwner("node");
  await using other = await startNode({ id: `beside-${process.pid}` });
  assert.notEqual(other.dir, dir);
  child.kill("SIGKILL");
  await eventually("its directory is removed", () => !existsSync(dir));
  assert.deepEqual(processesOf(dir), []);
  assert.deepEqual(globSync(`/sys/fs/cgroup/{,*/}kubearmor-relay-${child.pid}`), []);
  assert.match(await other.kubectl(["get", "nodes", "-o", "name"]), /node\/real0/);
});

async function startOwner(what: string): Promise<{ child: ChildProcess; dir: string }> {
  const child = spawn(process.execPath, [OWNER, what], { stdio: ["ignore", "pipe", "inherit"] });
  const [dir] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, dir };
}

/** Command lines of running processes that name the directory. */
function processesOf(dir: string): string[] {
  return globSync("/proc/[0-9]*/cmdline").flatMap((path) => {
    try {
      const words = readFileSync(path, "utf8").split("\0").join(" ");
      return words.includes(dir) ? [words] : [];
    } catch {
      // It ended between the two reads.
      return [];
    }
  });
}
