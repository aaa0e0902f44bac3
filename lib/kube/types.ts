/** The part of every Kubernetes object that this project reads. The rest of an object stays raw JSON. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly ManagedFieldsEntry[];
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly apiVersion?: string;
  readonly time?: string;
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
}

/** Raw JSON as the server sent it: a typed model would drop the fields it does not know. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** A kind as the API serves it: enough to build its path. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Names an object of a kind; `namespace` is absent for cluster-scoped kinds. */
export interface ObjectName {
  readonly namespace?: string;
  readonly name: string;
}

/** What a list or a watch covers; without `namespace`: all namespaces. */
export interface Scope {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ApplyOptions {
  readonly fieldManager: string;
  /** Take fields from other managers. For children that are ours, never for objects of users. */
  readonly force: boolean;
  readonly subresource?: "status" | "scale";
}

export interface DeleteOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagationPolicy?: "Foreground" | "Background" | "Orphan";
}

/**
 * Raw JSON in and out over pooled connections. Every method throws `ApiError` for an answer of the server that is not a
 * success and `Error` with a cause for a broken connection or a missed deadline.
 */
export interface KubeClient {
  /** Undefined when there is no such object. */
  get(resource: Resource, name: ObjectName, signal?: AbortSignal): Promise<KubeObject | undefined>;
  /** All pages. */
  list(resource: Resource, scope: Scope, signal?: AbortSignal): Promise<readonly KubeObject[]>;
  create(resource: Resource, object: KubeObject, signal?: AbortSignal): Promise<KubeObject>;
  /** PUT; `metadata.resourceVersion` makes it conditional. */
  replace(resource: Resource, object: KubeObject, signal?: AbortSignal): Promise<KubeObject>;
  /** Server-side apply. https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
  apply(resource: Resource, object: KubeObject, options: ApplyOptions, signal?: AbortSignal): Promise<KubeObject>;
  mergePatch(resource: Resource, name: ObjectName, patch: unknown, signal?: AbortSignal): Promise<KubeObject>;
  /** https://www.rfc-editor.org/rfc/rfc6902; a `test` that fails is answered by 422. */
  jsonPatch(
    resource: Resource,
    name: ObjectName,
    patch: readonly unknown[],
    signal?: AbortSignal,
    subresource?: ApplyOptions["subresource"],
  ): Promise<KubeObject>;
  /** False when it was gone already. */
  delete(resource: Resource, name: ObjectName, options?: DeleteOptions, signal?: AbortSignal): Promise<boolean>;
  /** Any GET or POST of JSON outside the resource model, for instance `/version` or a SubjectAccessReview. */
  raw(method: "GET" | "POST", path: string, body?: unknown, signal?: AbortSignal): Promise<unknown>;
}

/** One change of the set that a list-watch covers. `replaced` is a whole new list: what is not in it is gone. */
export type WatchChange =
  | { readonly kind: "replaced"; readonly objects: readonly KubeObject[] }
  | { readonly kind: "added" | "modified" | "deleted"; readonly object: KubeObject };

/** How a list-watch is doing. `failing` keeps the reason, so that a refusal by RBAC is never a silently empty list. */
export type WatchState =
  | { readonly kind: "starting" }
  | { readonly kind: "synced" }
  | { readonly kind: "failing"; readonly reason: WatchFailure; readonly error: Error };

/** Low-cardinality: a metric label. */
export type WatchFailure = "forbidden" | "unauthorized" | "expired" | "unreachable" | "server-error" | "malformed";

export interface ListWatchOptions {
  readonly resource: Resource;
  readonly scope: Scope;
  /** Only enqueue or index here: it is called synchronously, in the server's order. */
  readonly onChange: (change: WatchChange) => void;
  readonly onState?: (state: WatchState) => void;
  /** Counts every end of a watch that was not asked for, by reason. */
  readonly onRestart?: (reason: WatchFailure | "timeout" | "closed") => void;
  /** Drops what nobody reads before the object is kept. */
  readonly trim?: (object: KubeObject) => KubeObject;
  /** How long a watch is to last: `min` and up to `spread` more. Default 60 to 120 s, after which silence is noticed. */
  readonly watchSeconds?: { readonly min: number; readonly spread: number };
}
