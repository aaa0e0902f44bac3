import { stringify } from "yaml";
import { configMaps } from "../../lib/kube/resources.ts";
import type { Relay, RelaySpec } from "../api/relay.ts";
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
  const variables = Object.entries(stdoutVariables).map(([name, stream]) => [name, String(relay.spec.stdout[stream])]);
  return namespacedObject(relay, configMaps, {
    name: relay.metadata.name,
    body: {
      data: {
        ...(Object.fromEntries(variables) as Record<string, string>),
        [settingsFile]: stringify(liveSettings(relay.spec), { lineWidth: 0 }),
      },
    },
  });
}

/** As the relay reads them; docs/relay.md. It refuses all of them for one that it does not know. */
function liveSettings({ stdout, clusterName, enrichment, limits, agents, logLevel }: RelaySpec): object {
  const selector = Object.entries(agents.selector.matchLabels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    stdout: { alerts: stdout.alerts, logs: stdout.logs, messages: stdout.messages },
    clusterName,
    enrichment: { remoteHost: enrichment.remoteHost },
    limits: {
      maxSubscribers: limits.maxSubscribers,
      mailboxBytes: limits.mailboxBytes,
      bufferBytes: limits.bufferBytes,
    },
    agents: {
      namespaces: agents.namespaces.toSorted(),
      selector: selector.map(([key, value]) => `${key}=${value}`).join(","),
      // Absent: each pod says.
      ...(agents.port === undefined ? {} : { port: agents.port }),
    },
    logLevel,
  };
}
