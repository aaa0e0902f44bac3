import { stringify } from "yaml";
import { configMaps } from "../../lib/kube/resources.ts";
import type { Relay } from "../api/relay.ts";
import { type DesiredObject, namespacedObject } from "./object.ts";

/** File of the relay's settings, in the ConfigMap and where it is mounted. */
export const settingsFile = "config.yaml";

/** The environment variables of the upstream relay, which the Deployment takes from the ConfigMap. */
export const stdoutVariables = {
  ENABLE_STDOUT_ALERTS: "alerts",
  ENABLE_STDOUT_LOGS: "logs",
  ENABLE_STDOUT_MSGS: "messages",
} as const;

/** All that a running relay takes up without a restart: it watches this object. */
export function configMap(relay: Relay): DesiredObject {
  const { alerts, logs, messages } = relay.spec.stdout;
  const variables = Object.entries(stdoutVariables).map(([name, stream]) => [name, String(relay.spec.stdout[stream])]);
  return namespacedObject(relay, configMaps, {
    name: relay.metadata.name,
    body: {
      data: {
        ...(Object.fromEntries(variables) as Record<string, string>),
        [settingsFile]: stringify({ stdout: { alerts, logs, messages } }),
      },
    },
  });
}
