import type { Relay, RelaySpec } from "../api/relay.ts";
import { settingsFile, stdoutVariables } from "./config-map.ts";
import { httpPort, httpPortName } from "./metrics-service.ts";
import { leaseName } from "./names.ts";
import { optional } from "./template/fields.ts";

/** Of the relay's own container; an injected one may come before it. */
export const containerName = "kubearmor-relay-server";
/** Where karmor looks for a relay's pod, whatever the Service's port. */
const grpcPort = 32767;
const settingsFolder = "/etc/kubearmor-relay";
/** By it a pod signs its entry in the status and the Lease. */
const podNameVariable = "POD_NAME";

export interface PodOptions {
  /** Image for relays whose spec names none. */
  readonly defaultImage: string;
}

/** Nothing in here changes when a live setting does: that would replace the pods. */
export function container(relay: Relay, options: PodOptions): object {
  const { spec } = relay;
  return {
    name: containerName,
    image: spec.image === "" ? options.defaultImage : spec.image,
    imagePullPolicy: spec.imagePullPolicy,
    args: relayArguments(relay),
    env: [...ownVariables(relay), ...spec.env],
    ports: [
      { name: "grpc", containerPort: grpcPort, protocol: "TCP" },
      { name: httpPortName, containerPort: httpPort, protocol: "TCP" },
    ],
    ...optional("resources", resources(spec.resources)),
    startupProbe: probe("/livez", { periodSeconds: 1, failureThreshold: 60 }),
    livenessProbe: probe("/livez", { periodSeconds: 10, failureThreshold: 3 }),
    readinessProbe: probe("/readyz", { periodSeconds: 2, failureThreshold: 3 }),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [{ name: "settings", mountPath: settingsFolder, readOnly: true }],
  };
}

function relayArguments(relay: Relay): readonly string[] {
  const { agents, replicas } = relay.spec;
  const { name, namespace = "" } = relay.metadata;
  return [
    // KubeArmor's own operator edits the Deployment when this exact text is missing.
    "-tlsEnabled=false",
    `-gRPCPort=${grpcPort}`,
    `--httpPort=${httpPort}`,
    `--config=${settingsFolder}/${settingsFile}`,
    `--settings=${namespace}/${name}`,
    `--report=${namespace}/${name}`,
    // The kubelet fills it in.
    `--identity=$(${podNameVariable})`,
    // A single one prints whether or not the API server can be reached.
    ...(replicas > 1 ? [`--lease=${namespace}/${leaseName(relay)}`] : []),
    ...(agents.endpoints.length === 0 ? [] : [`--agents=${agents.endpoints.toSorted().join(",")}`]),
  ];
}

/** Of the streams for people who read the pod, and for images that know no other way: the relay watches the ConfigMap. */
function ownVariables(relay: Relay): readonly object[] {
  const { name } = relay.metadata;
  return [
    { name: podNameVariable, valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } },
    ...Object.keys(stdoutVariables).map((key) => ({ name: key, valueFrom: { configMapKeyRef: { name, key } } })),
  ];
}

/** Plaintext HTTP on a port of its own: the kubelet has no client certificate. */
function probe(path: string, timing: { readonly periodSeconds: number; readonly failureThreshold: number }): object {
  return { httpGet: { path, port: httpPortName, scheme: "HTTP" }, timeoutSeconds: 5, ...timing };
}

function resources({ requests, limits }: RelaySpec["resources"]): Record<string, unknown> {
  return { ...optional("requests", requests), ...optional("limits", limits) };
}
