import type { KubeObject } from "../../lib/kube/types.ts";
import type { Agent } from "../nodes/agent.ts";

/** Where agents listen unless their pod says otherwise. */
const defaultAgentPort = 32_767;
const portName = "grpc";

/** What of a pod says whether and where an agent runs. */
interface AgentPod {
  readonly metadata: {
    readonly name?: string;
    readonly uid?: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly {
      readonly ports?: readonly { readonly name?: string; readonly containerPort?: number }[];
    }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip?: string }[];
  };
}

/**
 * The agents to be connected to, best first: a pod that is being deleted yields to its successor on the same address, and
 * an older one to a younger. Readiness does not matter (events come from an agent before its probe passes), the end of a
 * pod does: a finished pod keeps the address that its successor uses.
 */
export function agentsOfPods(pods: Iterable<KubeObject>, port: number | undefined): readonly Agent[] {
  const found: { agent: Agent; isLeaving: boolean; created: string }[] = [];
  for (const object of pods) {
    const pod = object as unknown as AgentPod;
    const agent = agentOfPod(pod, port);
    if (agent === undefined) continue;
    const { deletionTimestamp, creationTimestamp } = pod.metadata;
    found.push({ agent, isLeaving: deletionTimestamp !== undefined, created: creationTimestamp ?? "" });
  }
  return found
    .toSorted(
      (a, b) =>
        Number(a.isLeaving) - Number(b.isLeaving) || compare(b.created, a.created) || compare(a.agent.id, b.agent.id),
    )
    .map(({ agent }) => agent);
}

/** Undefined for a pod that has ended or has no address yet. */
export function agentOfPod(pod: AgentPod, port: number | undefined): Agent | undefined {
  const { name, uid } = pod.metadata;
  const { phase, podIP, podIPs } = pod.status ?? {};
  if (name === undefined || uid === undefined || phase === "Succeeded" || phase === "Failed") return undefined;
  const addresses = podIPs?.flatMap(({ ip }) => (ip === undefined || ip === "" ? [] : [ip])) ?? [];
  if (addresses.length === 0 && podIP !== undefined && podIP !== "") addresses.push(podIP);
  if (addresses.length === 0) return undefined;
  const agentPort = port ?? namedPort(pod) ?? defaultAgentPort;
  return { id: uid, name: pod.spec?.nodeName ?? name, endpoints: addresses.map((host) => ({ host, port: agentPort })) };
}

/** Keeps of a pod what `agentsOfPods` reads: a cluster's pods whole would fill the memory. */
export function trimPod(object: KubeObject): KubeObject {
  const { metadata, spec, status } = object as unknown as AgentPod & KubeObject;
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp } = metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    spec: { nodeName: spec?.nodeName, containers: spec?.containers?.map(({ ports }) => ({ ports })) },
    status: { phase: status?.phase, podIP: status?.podIP, podIPs: status?.podIPs },
  };
}

function namedPort(pod: AgentPod): number | undefined {
  for (const container of pod.spec?.containers ?? []) {
    for (const port of container.ports ?? []) if (port.name === portName) return port.containerPort;
  }
  return undefined;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
