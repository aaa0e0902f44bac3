import { networkPolicies } from "../../lib/kube/resources.ts";
import type { Relay, RelaySpec } from "../api/relay.ts";
import { selectorLabels } from "./names.ts";
import { type DesiredObject, namespacedObject } from "./object.ts";

/**
 * Who may come in. What goes out is not restricted: agents have addresses of nodes, which policies cannot name, and so has
 * the API server.
 */
export function networkPolicy(relay: Relay): DesiredObject {
  const { from } = relay.spec.networkPolicy;
  return namespacedObject(relay, networkPolicies, {
    name: relay.metadata.name,
    body: {
      spec: {
        podSelector: { matchLabels: selectorLabels(relay) },
        policyTypes: ["Ingress"],
        ingress: [
          {
            ports: [{ port: "grpc", protocol: "TCP" }],
            from: from.length === 0 ? [{ podSelector: {} }] : from.map(peer),
          },
          // Probes come from the node, and who scrapes is not known here.
          { ports: [{ port: "http", protocol: "TCP" }] },
        ],
      },
    },
  });
}

/** An empty selector selects all, an absent one of namespaces the policy's own. */
function peer({ namespaceLabels = {}, podLabels = {} }: RelaySpec["networkPolicy"]["from"][number]): object {
  return {
    ...(Object.keys(namespaceLabels).length === 0 ? {} : { namespaceSelector: { matchLabels: namespaceLabels } }),
    podSelector: Object.keys(podLabels).length === 0 ? {} : { matchLabels: podLabels },
  };
}
