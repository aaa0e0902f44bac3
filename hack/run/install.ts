import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_PREFIX } from "../images/images.ts";
import type { Cluster } from "../testbed/cluster/cluster.ts";

const ROOT = join(import.meta.dirname, "..", "..");
export const CRDS = join(ROOT, "crds");

/** Where the sample relay and the simulated agents are. */
export const NAMESPACE = "kubearmor";
/** The sample, as kubectl names it. */
export const RELAY = "kubearmorrelay/kubearmor-relay";
const OPERATOR_NAMESPACE = "kubearmor-relay-system";
const OPERATOR_DEPLOYMENT = "deployment/kubearmor-relay-operator";
const ROLLOUT_TIMEOUT = "--timeout=120s";

/** The API and the operator, up to its pod being ready. What it returns takes them out again, where that matters. */
export async function installOperator(cluster: Cluster, signal: AbortSignal): Promise<AsyncDisposable> {
  const { kubectl } = cluster;
  await refuseSecondInstall(cluster);
  await using stack = new AsyncDisposableStack();
  const crds = readdirSync(CRDS).filter((name) => name.endsWith(".yaml"));
  const definitions = crds.map((name) => readFileSync(join(CRDS, name), "utf8")).join("\n---\n");
  stack.use(await applyText(cluster, definitions, signal));
  await kubectl(["wait", "--for=condition=Established", ROLLOUT_TIMEOUT, "crd/kubearmorrelays.operator.kubearmor.com"]);
  const manifests = await kubectl(["kustomize", join(ROOT, "config", "operator")], { signal });
  // The manifests name images as they are on the testbed's own node.
  stack.use(await applyText(cluster, manifests.replaceAll(DEFAULT_PREFIX, cluster.imagePrefix), signal));
  await kubectl(["-n", OPERATOR_NAMESPACE, "rollout", "status", ROLLOUT_TIMEOUT, OPERATOR_DEPLOYMENT], { signal });
  return stack.move();
}

export function createNamespace(cluster: Cluster, signal: AbortSignal): Promise<AsyncDisposable> {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
  return applyText(cluster, JSON.stringify(namespace), signal);
}

export function applySample(cluster: Cluster, signal: AbortSignal): Promise<AsyncDisposable> {
  return applyText(cluster, readFileSync(join(ROOT, "config", "samples", "kubearmorrelay.yaml"), "utf8"), signal);
}

async function applyText(cluster: Cluster, input: string, signal: AbortSignal): Promise<AsyncDisposable> {
  await cluster.kubectl(["apply", "--server-side", "-f", "-"], { input, signal });
  return {
    async [Symbol.asyncDispose]() {
      // What was put into a cluster of our own ends with it.
      if (!cluster.isDisposable) await cluster.kubectl(["delete", "--ignore-not-found", "-f", "-"], { input });
    },
  };
}

/** What is there already is somebody's, and must be there afterwards too. */
async function refuseSecondInstall(cluster: Cluster): Promise<void> {
  if (cluster.isDisposable) return;
  for (const object of [
    `namespace/${OPERATOR_NAMESPACE}`,
    `namespace/${NAMESPACE}`,
    "crd/kubearmorrelays.operator.kubearmor.com",
  ]) {
    if ((await cluster.kubectl(["get", "--ignore-not-found", "-o", "name", object])) === "") continue;
    throw new Error(`Cannot use ${cluster.title}: it has ${object} already, and the end of this run would remove it`);
  }
}
