import type { Relay } from "../api/relay.ts";
import { type PodOptions, container } from "./container.ts";
import { objectLabels, selectorLabels } from "./names.ts";
import { spread } from "./spread.ts";
import { type Fields, optional } from "./template/fields.ts";

/** The pods as the operator makes them of all fields but spec.podTemplate. */
export function podTemplate(relay: Relay, options: PodOptions): Fields {
  const { spec } = relay;
  return {
    metadata: {
      labels: { ...spec.podLabels, ...objectLabels(relay), ...selectorLabels(relay) },
      ...optional("annotations", spec.podAnnotations),
    },
    spec: {
      serviceAccountName: relay.metadata.name,
      automountServiceAccountToken: true,
      terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds,
      securityContext: {
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
        ...spec.securityContext,
      },
      ...optional("imagePullSecrets", spec.imagePullSecrets),
      ...optional("nodeSelector", spec.nodeSelector),
      ...optional("affinity", spec.affinity),
      ...optional("tolerations", spec.tolerations),
      ...optional("priorityClassName", spec.priorityClassName),
      ...optional("topologySpreadConstraints", spread(relay)),
      containers: [container(relay, options)],
      volumes: [{ name: "settings", configMap: { name: relay.metadata.name } }],
    },
  };
}
