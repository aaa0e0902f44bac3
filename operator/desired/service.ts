import { services } from "../../lib/kube/resources.ts";
import type { Relay, RelaySpec } from "../api/relay.ts";
import { relayAppLabel, selectorLabels } from "./names.ts";
import { type DesiredObject, namespacedObject } from "./object.ts";
import { optional } from "./template/fields.ts";

export const grpcPortName = "grpc";

/** The one Service with the relay's app label: clients take the first that has it. */
export function service(relay: Relay): DesiredObject {
  const { name, type, port, nodePort, annotations } = relay.spec.service;
  return namespacedObject(relay, services, {
    name,
    labels: relayAppLabel,
    annotations,
    body: {
      spec: {
        type,
        ...reach(relay.spec.service),
        selector: selectorLabels(relay),
        ports: [
          {
            name: grpcPortName,
            protocol: "TCP",
            port,
            targetPort: "grpc",
            ...(nodePort === undefined ? {} : { nodePort }),
          },
        ],
      },
    },
  });
}

/** What is not given is left to the cluster. */
function reach(spec: RelaySpec["service"]): Record<string, unknown> {
  return {
    ipFamilyPolicy: spec.ipFamilyPolicy,
    ...optional("ipFamilies", spec.ipFamilies),
    ...optional("loadBalancerClass", spec.loadBalancerClass),
    ...optional("loadBalancerSourceRanges", spec.loadBalancerSourceRanges),
    ...optional("externalTrafficPolicy", spec.externalTrafficPolicy),
    ...optional("internalTrafficPolicy", spec.internalTrafficPolicy),
  };
}
