import { services } from "../../lib/kube/resources.ts";
import type { Relay } from "../api/relay.ts";
import { relayAppLabel, selectorLabels } from "./names.ts";
import { type DesiredObject, namespacedObject } from "./object.ts";

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
        ipFamilyPolicy: "PreferDualStack",
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
