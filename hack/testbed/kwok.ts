import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { applyObjects, type Kubectl } from "./kubectl.ts";
import { startTethered, type Tethered } from "./tether.ts";

/** Marks the nodes that kwok plays; the value of `kwok.x-k8s.io/node`. */
const FAKE = "fake";

/** The annotation that keeps a fake pod Pending, until it is removed. */
export const HOLD_ANNOTATION = "test.kubearmor-relay/hold";

export interface KwokOptions {
  readonly bin: string;
  /** For its log. */
  readonly dir: string;
  readonly kubeconfig: string;
}

/** kwok's arguments, for `startKwok` and for the node's own start script. */
export function kwokArgs(kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--config=${join(import.meta.dirname, "kwok", "stages.yaml")}`,
    "--manage-all-nodes=false",
    `--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=${FAKE}`,
    "--node-lease-duration-seconds=40",
    "--server-address=127.0.0.1:0",
  ];
}

/** Plays the kubelets of fake nodes: their pods become Ready at once and run nothing. */
export function startKwok(options: KwokOptions): Promise<Tethered> {
  return startTethered({
    bin: options.bin,
    command: [join(options.bin, "kwok"), ...kwokArgs(options.kubeconfig)],
    logFile: join(options.dir, "kwok.log"),
  });
}

/** The label that fake nodes carry, and the taint that keeps everything else away from them. */
export const FAKE_NODE_LABEL = "test.kubearmor-relay/node";

/**
 * Creates nodes `fake-0`, `fake-1`, … and waits until they are Ready.
 * A hostNetwork pod on one gets the address that `ipOf` chose for it, as a KubeArmor agent does.
 */
export async function addFakeNodes(
  kubectl: Kubectl,
  count: number,
  ipOf: (index: number) => string,
): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `fake-${index}`);
  const nodes = names.map((name, index) => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      annotations: { "kwok.x-k8s.io/node": FAKE },
      labels: { [FAKE_NODE_LABEL]: FAKE, "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" },
    },
    spec: { taints: [{ key: FAKE_NODE_LABEL, value: FAKE, effect: "NoSchedule" }] },
    status: {
      addresses: [
        { type: "InternalIP", address: ipOf(index) },
        { type: "Hostname", address: name },
      ],
    },
  }));
  // Created, not applied: creation takes the status along, so that no node is ever without its address.
  await kubectl(["create", "-f", "-"], { input: JSON.stringify({ apiVersion: "v1", kind: "List", items: nodes }) });
  const ready = `jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}`;
  for (let tries = 0; ; tries++) {
    // One list instead of `kubectl wait`, which takes 100 ms for each object.
    const text = await kubectl(["get", "nodes", "-l", `${FAKE_NODE_LABEL}=${FAKE}`, "-o", ready]);
    const done = text.split("\n").filter((status) => status === "True").length;
    if (done >= count) return names;
    if (tries > 300) throw new Error(`Cannot make ${count} fake nodes: only ${done} are Ready; does kwok run?`);
    await pause(100);
  }
}

/** A DaemonSet of fake KubeArmor agents on the fake nodes, as KubeArmor's own: hostNetwork and the usual label. */
export async function addFakeAgentPods(kubectl: Kubectl, namespace: string): Promise<void> {
  const labels = { "kubearmor-app": "kubearmor" };
  const container = {
    name: "kubearmor",
    image: "localhost/simulated",
    ports: [{ containerPort: 32767, hostPort: 32767 }],
  };
  await applyObjects(kubectl, [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: "kubearmor", namespace, labels },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            hostNetwork: true,
            nodeSelector: { [FAKE_NODE_LABEL]: FAKE },
            tolerations: [{ operator: "Exists" }],
            containers: [container],
          },
        },
      },
    },
  ]);
}
