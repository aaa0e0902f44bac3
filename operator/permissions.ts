/** A right the operator has, and what for: the roles in config/ are generated from this table. */
export interface Permission {
  readonly group: string;
  readonly resource: string;
  /** Of the operator's own requests. */
  readonly verbs: readonly string[];
  /** Of no request of its own, and held because its relays' roles grant them: nobody may grant what they do not hold. */
  readonly granted?: readonly string[];
  /** Of no request at all: the server asks for them when it admits another one. */
  readonly checked?: readonly string[];
  /** Only objects of these names; absent: all. */
  readonly names?: readonly string[];
  readonly why: string;
}

/** Of the Lease whose holder writes. */
export const leaseName = "kubearmor-relay-operator";

/** All that a role has to allow. */
export function heldVerbs({ verbs, granted = [], checked = [] }: Permission): readonly string[] {
  return [...verbs, ...granted, ...checked];
}

const follow = ["get", "list", "watch"] as const;
/** Server-side apply is a patch, and a create when there is no such object yet. */
const apply = ["create", "patch"] as const;

const rbac = "rbac.authorization.k8s.io";

/** In the whole cluster. What a relay's role grants must be among these: nobody may grant what they do not hold. */
export const clusterPermissions: readonly Permission[] = [
  {
    group: "operator.kubearmor.com",
    resource: "kubearmorrelays",
    verbs: [...follow, "patch"],
    why: "read relays; put the finalizer on and off, and write nothing else of them",
  },
  {
    group: "operator.kubearmor.com",
    resource: "kubearmorrelays/status",
    verbs: ["patch"],
    why: "report what is seen; granted to each relay for its own, to report what its pods see",
  },
  {
    group: "operator.kubearmor.com",
    resource: "kubearmorrelays/finalizers",
    verbs: [],
    checked: ["update"],
    why: "own objects with blockOwnerDeletion where that is checked, as on OpenShift",
  },
  { group: "", resource: "serviceaccounts", verbs: [...follow, ...apply], why: "a relay's identity" },
  {
    group: "",
    resource: "configmaps",
    verbs: [...follow, ...apply],
    why: "a relay's settings; get, list and watch are granted to it for that one object",
  },
  {
    group: "",
    resource: "services",
    verbs: [...follow, ...apply, "delete"],
    why: "a relay's address; the old one goes when its name changes; list and watch are granted to relays to name peers",
  },
  { group: "apps", resource: "deployments", verbs: [...follow, ...apply], why: "a relay's pods" },
  {
    group: "policy",
    resource: "poddisruptionbudgets",
    verbs: [...follow, ...apply, "delete"],
    why: "drain nodes one pod of a relay at a time, while there are several",
  },
  {
    group: "networking.k8s.io",
    resource: "networkpolicies",
    verbs: [...follow, ...apply, "delete"],
    why: "say who may subscribe, while spec.networkPolicy.enabled says so",
  },
  {
    group: "",
    resource: "pods",
    verbs: ["list", "watch"],
    why: "say why a relay's pod does not serve; granted to relays to discover agents",
  },
  {
    group: "coordination.k8s.io",
    resource: "leases",
    verbs: [],
    granted: ["get", "create", "update"],
    why: "granted to relays, for the one that says whose turn it is to print",
  },
  {
    group: rbac,
    resource: "roles",
    verbs: [...follow, ...apply, "delete"],
    why: "a relay's rights in its namespace, and to discover agents in those that spec.agents.namespaces names",
  },
  { group: rbac, resource: "rolebindings", verbs: [...follow, ...apply, "delete"], why: "as above" },
  {
    group: rbac,
    resource: "clusterroles",
    verbs: [...follow, ...apply, "delete"],
    why: "a relay's right to discover agents; no garbage collector deletes cluster-scoped objects of namespaced owners",
  },
  { group: rbac, resource: "clusterrolebindings", verbs: [...follow, ...apply, "delete"], why: "as above" },
  { group: "events.k8s.io", resource: "events", verbs: ["create", "patch"], why: "tell of transitions" },
];

const clusterScoped: ReadonlySet<string> = new Set(["clusterroles", "clusterrolebindings"]);

/** In each namespace whose relays are watched, where there are no rights in the cluster. */
export const watchedNamespacePermissions: readonly Permission[] = clusterPermissions.filter(
  ({ resource }) => !clusterScoped.has(resource),
);

/** In the operator's own namespace, which need not be a watched one. */
export const ownNamespacePermissions: readonly Permission[] = [
  { group: "coordination.k8s.io", resource: "leases", verbs: ["create"], why: "stand for election" },
  {
    group: "coordination.k8s.io",
    resource: "leases",
    names: [leaseName],
    verbs: ["get", "update"],
    why: "hold the lease and give it back",
  },
];
