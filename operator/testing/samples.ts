import type { KubeObject } from "../../lib/kube/types.ts";
import { discoveryRights } from "../desired/roles.ts";
import type { DesiredObject } from "../desired/object.ts";
import { type Relay, apiVersion, parseRelay, relayKind } from "../api/relay.ts";
import type { KubeArmorRelay } from "../api/types.gen.ts";

/** A relay as the server would return it, for tests. */
export function relayOf(spec: KubeArmorRelay["spec"] = {}, rest: Readonly<Record<string, unknown>> = {}): Relay {
  const metadata = { namespace: "kubearmor", name: "kubearmor-relay", uid: "uid-1", generation: 3 };
  return parseRelay({ apiVersion, kind: relayKind, metadata, spec, ...rest });
}

/** The role of a relay that finds agents everywhere. */
export function clusterRoleOf(relay: Relay = relayOf()): DesiredObject {
  const [role] = discoveryRights(relay);
  if (role === undefined) throw new Error("A relay needs a role");
  return role;
}

export interface PodNumbers {
  readonly wanted?: number;
  readonly total?: number;
  readonly updated?: number;
  readonly available?: number;
}

/** A Deployment with one pod that serves, unless told otherwise. */
export function deploymentOf(
  { wanted = 1, total = wanted, updated = wanted, available = wanted }: PodNumbers = {},
  status: Readonly<Record<string, unknown>> = {},
): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace: "kubearmor", name: "kubearmor-relay", generation: 2 },
    spec: { replicas: wanted },
    status: {
      observedGeneration: 2,
      replicas: total,
      updatedReplicas: updated,
      readyReplicas: available,
      availableReplicas: available,
      ...status,
    },
  };
}

/** A pod of the relay with its container in this state. */
export function podOf(
  container: Readonly<Record<string, unknown>>,
  rest: Readonly<Record<string, unknown>> = {},
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: "kubearmor", name: "pod-1" },
    spec: { containers: [{ name: "kubearmor-relay-server", image: "registry/relay:1" }] },
    status: { containerStatuses: [{ name: "kubearmor-relay-server", ready: false, ...container }], ...rest },
  };
}
