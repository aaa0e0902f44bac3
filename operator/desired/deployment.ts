import { deployments } from "../../lib/kube/resources.ts";
import type { Relay } from "../api/relay.ts";
import type { PodOptions } from "./container.ts";
import { relayAppLabel, selectorLabels } from "./names.ts";
import { type DesiredObject, namespacedObject } from "./object.ts";
import { finalTemplate } from "./template/overlay.ts";

export { containerName } from "./container.ts";
export type DeploymentOptions = PodOptions;

export function deployment(relay: Relay, options: DeploymentOptions): DesiredObject {
  const { spec } = relay;
  return namespacedObject(relay, deployments, {
    name: relay.metadata.name,
    labels: relayAppLabel,
    body: {
      spec: {
        replicas: spec.replicas,
        progressDeadlineSeconds: spec.progressDeadlineSeconds,
        // A rollout that somebody paused would never end.
        paused: false,
        selector: { matchLabels: selectorLabels(relay) },
        // A new pod is ready before an old one goes, so that agents are always being read.
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: finalTemplate(relay, options),
      },
    },
  });
}
