import { isConflict, isInvalid, isNotFound, isUntypeable } from "../../lib/kube/errors.ts";
import { configMaps, deployments, services } from "../../lib/kube/resources.ts";
import type { KubeClient, KubeObject, Resource } from "../../lib/kube/types.ts";
import { textHash } from "../../lib/process/text-hash.ts";
import { type Relay, type RelayStatus, apiVersion, parseRelay, relayKind, relayResource } from "../api/relay.ts";
import type { LiveObject } from "../decide/plan.ts";
import { conditionTypes } from "../decide/reasons.ts";
import { type Facts, hasSurplus } from "../decide/status.ts";
import { settingsFile } from "../desired/config-map.ts";
import { containerName } from "../desired/deployment.ts";
import { fieldManager, metricsServiceName, selectorText } from "../desired/names.ts";
import { grpcPortName } from "../desired/service.ts";
import { relayKey } from "../watch/keys.ts";
import type { Cached } from "./gather.ts";

/** Apart from the one of the children: a status is the operator's report, its children are its work. */
const statusFieldManager = "kubearmor-relay-operator-status";

interface StatusDeps {
  readonly client: Pick<KubeClient, "apply" | "get" | "jsonPatch">;
  readonly wrote: (resource: Resource, object: KubeObject) => void;
}

/** What the operator knows of a relay's objects. */
interface Known extends Cached {
  childrenOf(key: string): readonly LiveObject[];
}

interface ServiceSpec {
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[];
}

interface DeploymentSpec {
  readonly template?: {
    readonly spec?: { readonly containers?: readonly { readonly name: string; readonly image?: string }[] };
  };
}

/** @returns the relay as it is then; undefined when it is gone, or is another one by now. */
export async function writeStatus(
  relay: Relay,
  status: RelayStatus,
  deps: StatusDeps,
  signal: AbortSignal,
): Promise<Relay | undefined> {
  const { name, namespace = "", uid = "" } = relay.metadata;
  // The UID makes it conditional: a report about a relay is never written to its successor.
  const object = { apiVersion, kind: relayKind, metadata: { name, namespace, uid }, status };
  try {
    const options = { fieldManager: statusFieldManager, force: true, subresource: "status" } as const;
    const written = await deps.client.apply(relayResource, object, options, signal).catch(async (error: unknown) => {
      if (!isUntypeable(error)) throw error;
      return await replaceStatus(relay, status, deps.client, signal);
    });
    deps.wrote(relayResource, written);
    const stored = parseRelay(written);
    return hasSurplus(stored.status, status) ? await removeSurplus(stored, status, deps, signal) : stored;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    if (!isConflict(error)) throw error;
    // Another relay of this name, or a race with other writers: only the first is no business of this pass.
    const live = await deps.client.get(relayResource, { namespace, name }, signal);
    if (live?.metadata.uid === uid) throw error;
    return undefined;
  }
}

/** @returns what was stored before when somebody else has written since: then the surplus is for the next pass. */
async function removeSurplus(
  stored: Relay,
  status: RelayStatus,
  deps: StatusDeps,
  signal: AbortSignal,
): Promise<Relay> {
  try {
    const replaced = await replaceStatus(stored, status, deps.client, signal);
    deps.wrote(relayResource, replaced);
    return parseRelay(replaced);
  } catch (error) {
    if (!isInvalid(error)) throw error;
    return stored;
  }
}

/**
 * For what server-side apply cannot do: read a relay whose spec another CRD let through, which has to be told that all the
 * same, and take away what another manager wrote.
 */
function replaceStatus(
  { metadata, status: { conditions = [], relays } }: Relay,
  status: RelayStatus,
  client: Pick<KubeClient, "jsonPatch">,
  signal: AbortSignal,
): Promise<KubeObject> {
  const ours = new Set<string>(conditionTypes);
  const ofOthers = conditions.filter(({ type }) => !ours.has(type));
  const value = {
    ...status,
    conditions: [...(status.conditions ?? []), ...ofOthers],
    ...(relays === undefined ? {} : { relays }),
  };
  const patch = [
    { op: "test", path: "/metadata/resourceVersion", value: metadata.resourceVersion },
    { op: "add", path: "/status", value },
  ];
  return client.jsonPatch(relayResource, metadata, patch, signal, "status");
}

/** Read off the relay's own objects, so that the status says what is and not what was meant. */
export function factsOf(relay: Relay, known: Known): Facts {
  const { namespace = "", name } = relay.metadata;
  const own = (resource: Resource) => {
    const object = known.get(resource, { namespace, name });
    return object !== undefined && isControlledBy(object, relay) ? object : undefined;
  };
  const deployment = own(deployments);
  return {
    selector: selectorText(relay),
    endpoint: endpointOf(relay, known),
    image: imageOf(deployment),
    settings: settingsOf(own(configMaps)),
    deployment,
  };
}

function isControlledBy({ metadata }: KubeObject, relay: Relay): boolean {
  return (
    metadata.ownerReferences?.some(({ uid, controller }) => controller === true && uid === relay.metadata.uid) === true
  );
}

/** Where clients in the cluster subscribe: while the Service is not the wanted one yet, the one that there is. */
function endpointOf(relay: Relay, known: Known): string | undefined {
  const own = known
    .childrenOf(relayKey(relay))
    .filter(({ resource, object }) => resource === services && isControlledBy(object, relay))
    .filter(({ object }) => object.metadata.name !== metricsServiceName(relay))
    .map(({ object }) => object)
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const service = own.find(({ metadata }) => metadata.name === relay.spec.service.name) ?? own[0];
  if (service === undefined) return undefined;
  const { ports = [] } = (service["spec"] ?? {}) as ServiceSpec;
  const port = (ports.find((each) => each.name === grpcPortName) ?? ports[0])?.port;
  const { name, namespace = "" } = service.metadata;
  return port === undefined ? undefined : `${name}.${namespace}.svc:${port}`;
}

function imageOf(deployment: KubeObject | undefined): string | undefined {
  const spec = deployment?.["spec"] as DeploymentSpec | undefined;
  return spec?.template?.spec?.containers?.find(({ name }) => name === containerName)?.image;
}

function settingsOf(configMap: KubeObject | undefined): Facts["settings"] {
  const data = (configMap?.["data"] ?? {}) as Readonly<Record<string, string>>;
  const text = data[settingsFile];
  if (configMap === undefined || text === undefined) return undefined;
  const { creationTimestamp, managedFields = [] } = configMap.metadata;
  // Whoever else writes to it says nothing about the settings, and might do so all the time.
  const ownTimes = managedFields.filter(({ manager }) => manager === fieldManager).map(({ time }) => time);
  const times = [creationTimestamp, ...ownTimes].flatMap((time) => (time === undefined ? [] : [Date.parse(time)]));
  return { hash: textHash(text), sinceMs: Math.max(0, ...times) };
}
