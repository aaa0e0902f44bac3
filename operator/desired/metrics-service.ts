import { services } from "../../lib/kube/resources.ts";
import type { Relay } from "../api/relay.ts";
import { metricsServiceName, selectorLabels } from "./names.ts";
import { type DesiredObject, namespacedObject } from "./object.ts";

/** Port of metrics, probes and the status page, on the Service and by name on the pods. */
export const httpPortName = "http";
export const httpPort = 8080;

/** For Prometheus. A Service of its own, without the label that clients look for: these would subscribe to metrics. */
export function metricsService(relay: Relay): DesiredObject {
  return namespacedObject(relay, services, {
    name: metricsServiceName(relay),
    labels: { "app.kubernetes.io/component": "metrics" },
    body: {
      spec: {
        type: "ClusterIP",
        // Every pod is scraped by itself, those above all that are not ready.
        clusterIP: "None",
        publishNotReadyAddresses: true,
        selector: selectorLabels(relay),
        ports: [{ name: httpPortName, protocol: "TCP", port: httpPort, targetPort: httpPortName }],
      },
    },
  });
}
