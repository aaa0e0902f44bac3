import type { KubeObject } from "../../lib/kube/types.ts";
import { canonicalAddress } from "./address-text.ts";

/** The kinds of objects that have addresses, by the word that events use for them. */
export type HostKind = "pod" | "svc";

/** Somebody in the cluster to whom addresses belong. */
export interface Host {
  readonly kind: HostKind;
  /** `pod/NAMESPACE/NAME` or `svc/NAMESPACE/NAME`: unique among the living, and what is written into events. */
  readonly owner: string;
  /** Canonical, see `canonicalAddress`. */
  readonly addresses: readonly string[];
  /** Seconds since 1970. */
  readonly created: number;
  /** It is being deleted, and its address may have been given to another. */
  readonly isLeaving: boolean;
  /** Its addresses are those of its node, which it shares with whatever else uses the network of that. */
  readonly isOnNode: boolean;
}

/** What of a pod or a service says which addresses are its own. */
interface Addressed {
  readonly spec?: {
    readonly hostNetwork?: boolean;
    readonly clusterIP?: string;
    readonly clusterIPs?: readonly string[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip?: string }[];
  };
}

/** `addresses` is empty for an object that nobody should be sent to. */
export function hostOf(kind: HostKind, object: KubeObject): Host {
  const { creationTimestamp = "", deletionTimestamp } = object.metadata;
  const texts = kind === "pod" ? podAddresses(object as Addressed) : serviceAddresses(object as Addressed);
  const addresses = new Set(texts.map(canonicalAddress).filter((address) => address !== undefined));
  return {
    kind,
    owner: ownerOf(kind, object),
    addresses: [...addresses],
    created: Math.floor(Date.parse(creationTimestamp) / 1000) || 0,
    isLeaving: deletionTimestamp !== undefined,
    isOnNode: kind === "pod" && (object as Addressed).spec?.hostNetwork === true,
  };
}

export function ownerOf(kind: HostKind, { metadata }: KubeObject): string {
  return `${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
}

/** Keeps of a pod or a service what `hostOf` reads: those of a cluster whole would fill the memory. */
export function trimHost(object: KubeObject): KubeObject {
  const { name, namespace, creationTimestamp, deletionTimestamp } = object.metadata;
  const { spec = {}, status = {} } = object as Addressed;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    spec: { hostNetwork: spec.hostNetwork, clusterIP: spec.clusterIP, clusterIPs: spec.clusterIPs },
    status: { phase: status.phase, podIP: status.podIP, podIPs: status.podIPs },
  };
}

function podAddresses({ status }: Addressed): readonly string[] {
  // A pod that has ended keeps its address in its status while another pod gets it.
  if (status?.phase === "Succeeded" || status?.phase === "Failed") return [];
  return [status?.podIP ?? "", ...(status?.podIPs ?? []).map(({ ip = "" }) => ip)];
}

/**
 * Not `externalIPs`: whoever may write a service could claim any address of the world with them (CVE-2020-8554). Nor those
 * of load balancers: some are the addresses of nodes. A headless service has "None", which is no address.
 */
function serviceAddresses({ spec }: Addressed): readonly string[] {
  return [spec?.clusterIP ?? "", ...(spec?.clusterIPs ?? [])];
}
