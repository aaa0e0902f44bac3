import { isConflict, isNotFound } from "../../lib/kube/errors.ts";
import { configMaps, deployments, services } from "../../lib/kube/resources.ts";
import type { KubeClient, KubeObject, Resource } from "../../lib/kube/types.ts";
import { type Relay, type RelayStatus, apiVersion, relayKind, relayResource } from "../api/relay.ts";
import type { Facts } from "../decide/status.ts";
import { stdoutVariables } from "../desired/config-map.ts";
import { endpoint, selectorText } from "../desired/names.ts";
import type { Cached } from "./gather.ts";

/** Apart from the one of the children: a status is the operator's report, its children are its work. */
const statusFieldManager = "kubearmor-relay-operator-status";

interface StatusDeps {
  readonly client: Pick<KubeClient, "apply">;
  readonly wrote: (resource: Resource, object: KubeObject) => void;
}

/** @returns false when the relay is gone, or is another one by now. */
export async function writeStatus(
  relay: Relay,
  status: RelayStatus,
  deps: StatusDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const { name, namespace = "", uid = "" } = relay.metadata;
  // The UID makes it conditional: a report about a relay is never written to its successor.
  const object = { apiVersion, kind: relayKind, metadata: { name, namespace, uid }, status };
  try {
    const options = { fieldManager: statusFieldManager, force: true, subresource: "status" } as const;
    deps.wrote(relayResource, await deps.client.apply(relayResource, object, options, signal));
    return true;
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return false;
    throw error;
  }
}

/** Read off the objects that exist, so that the status says what is and not what was meant. */
export function factsOf(relay: Relay, cached: Cached): Facts {
  const { namespace = "", name } = relay.metadata;
  const deployment = cached.get(deployments, { namespace, name });
  const configMap = cached.get(configMaps, { namespace, name });
  const service = cached.get(services, { namespace, name: relay.spec.service.name });
  return {
    selector: selectorText(relay),
    endpoint: service === undefined ? undefined : endpoint(relay),
    image: imageOf(deployment),
    stdout: stdoutOf(configMap),
    deployment,
  };
}

function imageOf(deployment: KubeObject | undefined): string | undefined {
  const spec = deployment?.["spec"] as
    | { readonly template?: { readonly spec?: { readonly containers?: readonly { readonly image?: string }[] } } }
    | undefined;
  return spec?.template?.spec?.containers?.[0]?.image;
}

function stdoutOf(configMap: KubeObject | undefined): string | undefined {
  if (configMap === undefined) return undefined;
  const data = (configMap["data"] ?? {}) as Readonly<Record<string, string>>;
  const streams = Object.entries(stdoutVariables).filter(([variable]) => data[variable] === "true");
  return streams.length === 0 ? "none" : streams.map(([, stream]) => stream).join(",");
}
