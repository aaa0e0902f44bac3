import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { type ControlPlane, startControlPlane } from "../../hack/testbed/control-plane.ts";
import { addFakeNodes } from "../../hack/testbed/kwok.ts";
import { createKubeClient } from "../../lib/kube/client.ts";
import { loadCluster } from "../../lib/kube/credentials.ts";
import { namespaces } from "../../lib/kube/resources.ts";
import type { ListWatchClient } from "../../lib/kube/list-watch.ts";
import type { KubeClient, KubeObject } from "../../lib/kube/types.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { apiVersion, relayKind, relayResource } from "../../operator/api/relay.ts";
import type { Report } from "../../operator/decide/reports.ts";
import type { KubeArmorRelay } from "../../operator/api/types.gen.ts";
import { type Operator, type OperatorOptions, startOperator } from "../../operator/operator.ts";
import { type FakeRelays, startFakeRelays } from "./fake-relays.ts";

export type Spec = KubeArmorRelay["spec"];

const root = new URL("../../", import.meta.url).pathname;
const operatorNamespace = "kubearmor-relay-system";
const operatorName = "kubearmor-relay-operator";

/** One request of the operator, from the API server's audit log. */
export interface AuditedRequest {
  readonly verb: string;
  readonly uri: string;
  readonly code: number;
}

/** A real control plane with the CRD, fake nodes, and the operator's own identity and rights. */
export interface Harness extends AsyncDisposable {
  readonly plane: ControlPlane;
  /** With the operator's own rights, for another process. */
  readonly operatorKubeconfig: string;
  /** As the cluster's administrator. */
  readonly admin: KubeClient & ListWatchClient;
  /** Undefined when they were not asked for. */
  readonly relays: FakeRelays | undefined;
  /** In this process, with the rights of config/operator/rbac.yaml and no others. */
  start(options?: Partial<OperatorOptions>): Promise<Operator>;
  /** Every request of any operator so far. */
  requests(): Promise<readonly AuditedRequest[]>;
  createNamespace(name: string): Promise<void>;
  createRelay(namespace: string, name: string, spec: Spec): Promise<KubeObject>;
}

export interface HarnessOptions {
  /** Whether somebody reports for the pods of relays, which run nothing. Default true. */
  readonly fakeRelays?: boolean;
}

export async function startHarness({ fakeRelays = true }: HarnessOptions = {}): Promise<Harness> {
  await using opened = new AsyncDisposableStack();
  const crds = [join(root, "crds", "kubearmorrelays.yaml")];
  const plane = opened.use(await startControlPlane({ crds, audit: true, kwok: true }));
  await addFakeNodes(plane.kubectl, 2, (index) => `127.10.0.${index + 1}`);
  for (const file of ["namespace.yaml", "service-account.yaml", "rbac.yaml"])
    await plane.kubectl(["apply", "--server-side", "-f", join(root, "config", "operator", file)]);
  const kubeconfig = await writeOperatorKubeconfig(plane);
  const admin = opened.use(
    createKubeClient(loadCluster({ kubeconfig: plane.kubeconfig }), { log: silentLog, userAgent: "test/0" }),
  );
  const relays = fakeRelays ? opened.use(startFakeRelays(admin)) : undefined;
  const resources = opened.move();
  return {
    plane,
    relays,
    operatorKubeconfig: kubeconfig,
    admin,
    start: (options) =>
      startOperator(
        {
          namespaces: [],
          httpPort: 0,
          relayImage: "localhost/relay:test",
          leaderElect: false,
          leaseNamespace: operatorNamespace,
          concurrency: 4,
          ...options,
        },
        { cluster: loadCluster({ kubeconfig }), clock: systemClock, random: Math.random, log: silentLog },
      ),
    requests: async () => auditedRequests(await readFile(plane.auditLog, "utf8")),
    async createNamespace(name) {
      // The server's own judgement of our pods, for every test.
      const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
      await admin.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
    },
    createRelay: (namespace, name, spec) =>
      admin.create(relayResource, {
        apiVersion,
        kind: relayKind,
        metadata: { namespace, name },
        spec: onFakeNodes(spec),
      }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Fake nodes are tainted. */
function onFakeNodes(spec: Spec): Spec {
  return { tolerations: [{ operator: "Exists" }], ...spec };
}

/** What a pod of the operator would have: the token of its ServiceAccount. */
async function writeOperatorKubeconfig(plane: ControlPlane): Promise<string> {
  const token = await plane.kubectl(["-n", operatorNamespace, "create", "token", operatorName, "--duration=2h"]);
  const config = parse(await readFile(plane.kubeconfig, "utf8")) as { users: { name: string; user: unknown }[] };
  const users = config.users.map(({ name }) => ({ name, user: { token: token.trim() } }));
  const path = join(plane.dir, "operator.kubeconfig");
  await writeFile(path, stringify({ ...config, users }));
  return path;
}

function auditedRequests(log: string): readonly AuditedRequest[] {
  const user = `system:serviceaccount:${operatorNamespace}:${operatorName}`;
  return log
    .split("\n")
    .filter((line) => line.includes(user))
    .map(
      (line) =>
        JSON.parse(line) as {
          readonly verb: string;
          readonly requestURI: string;
          readonly responseStatus?: { readonly code?: number };
        },
    )
    .map(({ verb, requestURI, responseStatus }) => ({ verb, uri: requestURI, code: responseStatus?.code ?? 0 }));
}

/** Writes of anything but the Lease. */
export function writesOf(requests: readonly AuditedRequest[]): readonly AuditedRequest[] {
  const verbs = new Set(["create", "update", "patch", "delete", "deletecollection"]);
  return requests.filter(({ verb, uri }) => verbs.has(verb) && !uri.includes("/leases"));
}

/** Asks again until there is an answer; the limit only ends a test that hangs. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 2400; tries += 1) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await pause(50);
  }
  throw new Error(`Waited in vain until ${what}`);
}

export interface ConditionView {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime?: string;
}

export interface StatusView {
  readonly observedGeneration?: number;
  readonly conditions?: readonly ConditionView[];
  readonly endpoint?: string;
  readonly image?: string;
  readonly stdout?: string;
  readonly replicas?: number;
  readonly readyReplicas?: number;
  readonly updatedReplicas?: number;
  readonly version?: string;
  readonly agents?: { readonly seen?: number; readonly connected?: number };
  readonly loss?: { readonly dropped?: number; readonly gaps?: number };
  readonly relays?: readonly Report[];
}

export function statusOf(relay: KubeObject | undefined): StatusView {
  return relay?.["status"] ?? {};
}

export function conditionOf(relay: KubeObject | undefined, type: string): ConditionView | undefined {
  return statusOf(relay).conditions?.find((condition) => condition.type === type);
}

/** The relay, once a condition of it is so for its newest spec. */
export function untilCondition(
  admin: KubeClient,
  name: { readonly namespace: string; readonly name: string },
  type: string,
  status: string,
  reason?: string,
): Promise<KubeObject> {
  return eventually(`${name.name} has ${type}=${status} ${reason ?? ""}`, async () => {
    const relay = await admin.get(relayResource, name);
    const condition = conditionOf(relay, type);
    const isNew = statusOf(relay).observedGeneration === relay?.metadata.generation;
    const isSo = condition?.status === status && (reason === undefined || condition.reason === reason);
    return isNew && isSo ? relay : undefined;
  });
}

/** Waits until the operator has looked at what there is and has nothing left to do. */
export async function untilIdle(operator: Operator): Promise<void> {
  await operator.working;
  await eventually("the operator is idle", async () => {
    const response = await fetch(`http://127.0.0.1:${operator.httpPort}/metrics`);
    const text = await response.text();
    const value = (name: string) =>
      text
        .split("\n")
        .filter((line) => line.startsWith(`${name}{`))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
    const isIdle =
      value("controller_runtime_reconcile_total") > 0 &&
      value("workqueue_depth") === 0 &&
      value("controller_runtime_active_workers") === 0;
    return isIdle ? true : undefined;
  });
}
