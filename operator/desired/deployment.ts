import { deployments } from "../../lib/kube/resources.ts";
import type { Relay, RelaySpec } from "../api/relay.ts";
import { settingsFile, stdoutVariables } from "./config-map.ts";
import { httpPort, httpPortName } from "./metrics-service.ts";
import { leaseName, objectLabels, relayAppLabel, selectorLabels } from "./names.ts";
import { type DesiredObject, namespacedObject } from "./object.ts";

/** Of the relay's own container; an injected one may come before it. */
export const containerName = "kubearmor-relay-server";
/** Where karmor looks for a relay's pod, whatever the Service's port. */
const grpcPort = 32767;
const settingsFolder = "/etc/kubearmor-relay";

export interface DeploymentOptions {
  /** Image for relays whose spec names none. */
  readonly defaultImage: string;
}

export function relayImage(relay: Relay, options: DeploymentOptions): string {
  return relay.spec.image === "" ? options.defaultImage : relay.spec.image;
}

/** Nothing in here changes when a live setting does: that would replace the pods. */
export function deployment(relay: Relay, options: DeploymentOptions): DesiredObject {
  const { spec } = relay;
  return namespacedObject(relay, deployments, {
    name: relay.metadata.name,
    labels: relayAppLabel,
    body: {
      spec: {
        replicas: spec.replicas,
        // A rollout that somebody paused would never end.
        paused: false,
        selector: { matchLabels: selectorLabels(relay) },
        // A new pod is ready before an old one goes, so that agents are always being read.
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: {
          metadata: {
            labels: { ...spec.podLabels, ...objectLabels(relay), ...selectorLabels(relay) },
            ...optional("annotations", spec.podAnnotations),
          },
          spec: podSpec(relay, options),
        },
      },
    },
  });
}

function podSpec(relay: Relay, options: DeploymentOptions): object {
  const { spec } = relay;
  return {
    serviceAccountName: relay.metadata.name,
    automountServiceAccountToken: true,
    terminationGracePeriodSeconds: 30,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    ...optional("imagePullSecrets", spec.imagePullSecrets),
    ...optional("nodeSelector", spec.nodeSelector),
    ...optional("tolerations", spec.tolerations.map(withoutEmptyText)),
    ...(spec.priorityClassName === "" ? {} : { priorityClassName: spec.priorityClassName }),
    ...optional("topologySpreadConstraints", spread(relay)),
    containers: [container(relay, options)],
    volumes: [{ name: "settings", configMap: { name: relay.metadata.name } }],
  };
}

/** Several pods are to survive a node and a zone, but rather share one than wait. */
function spread(relay: Relay): readonly object[] {
  if (relay.spec.replicas < 2) return [];
  return ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: selectorLabels(relay) },
  }));
}

function container(relay: Relay, options: DeploymentOptions): object {
  const { name } = relay.metadata;
  return {
    name: containerName,
    image: relayImage(relay, options),
    imagePullPolicy: relay.spec.imagePullPolicy,
    args: relayArguments(relay),
    // For people who read the pod, and for images that know no other way; the relay itself watches the ConfigMap.
    env: Object.keys(stdoutVariables).map((key) => ({ name: key, valueFrom: { configMapKeyRef: { name, key } } })),
    ports: [
      { name: "grpc", containerPort: grpcPort, protocol: "TCP" },
      { name: httpPortName, containerPort: httpPort, protocol: "TCP" },
    ],
    ...optional("resources", resources(relay.spec.resources)),
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
    // A single one prints whether or not the API server can be reached.
    ...(replicas > 1 ? [`--lease=${namespace}/${leaseName(relay)}`] : []),
    ...(agents.endpoints.length === 0 ? [] : [`--agents=${agents.endpoints.toSorted().join(",")}`]),
  ];
}

/** Plaintext HTTP on a port of its own: the kubelet has no client certificate. */
function probe(path: string, timing: { readonly periodSeconds: number; readonly failureThreshold: number }): object {
  return { httpGet: { path, port: httpPortName, scheme: "HTTP" }, timeoutSeconds: 5, ...timing };
}

function resources({ requests, limits }: RelaySpec["resources"]): Record<string, unknown> {
  return { ...optional("requests", requests), ...optional("limits", limits) };
}

function withoutEmptyText(from: object): object {
  return Object.fromEntries(Object.entries(from).filter(([, value]) => value !== ""));
}

/** `{ [name]: value }`, or nothing when the value is empty: the server drops empty lists, maps and texts. */
function optional(name: string, value: object): Record<string, unknown> {
  return Object.keys(value).length === 0 ? {} : { [name]: value };
}
