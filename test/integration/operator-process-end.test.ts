import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { loadCluster } from "../../lib/kube/credentials.ts";
import { deployments, leases } from "../../lib/kube/resources.ts";
import { leaseName } from "../../operator/permissions.ts";
import { newIdentity, startChild } from "./operator-child.ts";
import { type FaultProxy, startFaultProxy } from "./operator-fault-proxy.ts";
import { type Harness, eventually, startHarness, untilCondition } from "./operator-harness.ts";

const main = new URL("../../operator/main.ts", import.meta.url).pathname;
const namespace = "relays";
const at = { namespace, name: "relay" };
const lease = { namespace: "kubearmor-relay-system", name: leaseName };
const never = { kind: "late", ms: 600_000 } as const;
const replicaSets = { ...deployments, kind: "ReplicaSet", plural: "replicasets" };
const limit = { timeout: 90_000 };

let harness: Harness;
let proxy: FaultProxy;
let kubeconfig: string;
const opened = new AsyncDisposableStack();

before(async () => {
  harness = opened.use(await startHarness());
  await harness.createNamespace(namespace);
  proxy = opened.use(await startFaultProxy(loadCluster({ kubeconfig: harness.plane.kubeconfig })));
  ({ kubeconfig } = await newIdentity(harness.plane, "proxied", proxy.cluster.server));
});

after(() => opened[Symbol.asyncDispose]());

async function leaseHolder(): Promise<unknown> {
  const found = await harness.admin.get(leases, lease);
  return (found?.["spec"] as { readonly holderIdentity?: string } | undefined)?.holderIdentity ?? "";
}

test(
  "SIGTERM within a pass: status 0, the Lease is given back, and the next start ends what was begun",
  limit,
  async () => {
    const stuck = Promise.withResolvers<void>();
    proxy.fault = ({ method, path }) => {
      if (method !== "PATCH" || !path.includes("/deployments/")) return undefined;
      stuck.resolve();
      return never;
    };
    await using first = startChild(kubeconfig);
    await first.logged("Reconciling");
    await harness.createRelay(at.namespace, at.name, {});
    await stuck.promise;
    first.process.kill("SIGTERM");
    assert.equal(await first.exited, 0);
    assert.equal(await leaseHolder(), "");
    assert.equal(await harness.admin.get(deployments, at), undefined);
    assert.doesNotMatch(first.log(), /"level":"error"/);
    proxy.fault = () => undefined;
    await using second = startChild(kubeconfig);
    await untilCondition(harness.admin, at, "Ready", "True");
    assert.equal((await harness.admin.list(replicaSets, { namespace })).length, 1, "the pods were made once");
    second.process.kill("SIGINT");
    assert.equal(await second.exited, 0);
  },
);

test("SIGTERM while the API server answers nothing: it ends all the same", limit, async () => {
  await using child = startChild(kubeconfig);
  await child.logged("Reconciling");
  proxy.fault = () => never;
  child.process.kill("SIGTERM");
  assert.equal(await child.exited, 0);
  proxy.fault = () => undefined;
  proxy.cut();
});

test("SIGTERM while it starts: status 0, and at once", limit, async () => {
  // Between the signal and the end of its start there is time for nobody to listen.
  const early = `
    import { Server } from "node:net";
    const { listen } = Server.prototype;
    Server.prototype.listen = function (...args) {
      process.kill(process.pid, "SIGTERM");
      setTimeout(() => listen.apply(this, args), 300);
      return this;
    };`;
  const hook = `--import=data:text/javascript,${encodeURIComponent(early)}`;
  const flags = [`--kubeconfig=${kubeconfig}`, "--http-port=0", "--leader-elect=false"];
  const child = spawn(process.execPath, [hook, main, ...flags], { stdio: ["ignore", "ignore", "pipe"] });
  const log = await text(child.stderr);
  assert.equal(await eventually("it ends", async () => child.exitCode ?? undefined), 0, log);
  assert.match(log, /Signal received: draining/);
  assert.doesNotMatch(log, /Draining did not end in time/);
});

test("a second signal ends it at once, with status 1", limit, async () => {
  // The one before could not give it back.
  await harness.admin.delete(leases, lease);
  await using child = startChild(kubeconfig);
  await child.logged("Reconciling");
  proxy.fault = () => never;
  child.process.kill("SIGTERM");
  await child.logged("Signal received: draining");
  child.process.kill("SIGTERM");
  assert.equal(await child.exited, 1);
  proxy.fault = () => undefined;
});

test("without rights in the cluster, and no namespace named: status 2", limit, async () => {
  await using child = startChild(kubeconfig, ["--cluster-rights=false"]);
  assert.equal(await child.exited, 2);
  assert.match(child.log(), /-namespaces \(or WATCH_NAMESPACES\) must name/);
});

/** Starts that cannot work: the exit status and what is said. */
const refused: Readonly<Record<string, readonly [argv: readonly string[], status: number, said: RegExp]>> = {
  "a value that is none": [["--http-port=many"], 2, /Flag -http-port must be a port: it is \\"many\\"/],
  "an argument that is no flag": [["watch"], 2, /Unexpected argument \\"watch\\"/],
  "a cluster that is not there": [["--kubeconfig=/nonexistent"], 1, /Cannot read the kubeconfig/],
  "a command without its file": [["render"], 2, /Flag -f is missing/],
  "a flag of another command": [["render", "-f", "-", "--concurrency=2"], 2, /Unknown flag -concurrency/],
};

for (const [sentence, [argv, status, said]] of Object.entries(refused)) {
  test(`the program with ${sentence}: status ${status}, and it says why`, limit, async () => {
    const child = spawn(process.execPath, [main, ...argv], { stdio: ["ignore", "ignore", "pipe"] });
    const [log] = await Promise.all([
      text(child.stderr),
      eventually("it ends", async () => child.exitCode ?? undefined),
    ]);
    assert.equal(child.exitCode, status);
    assert.match(log, said);
  });
}

test("an unknown flag is named and no reason not to start", limit, async () => {
  await using child = startChild(kubeconfig, ["--novel=1", "--leader-elect=false"]);
  await child.logged("Reconciling");
  assert.match(child.log(), /Unknown flag -novel is ignored/);
});
