import type { Registry } from "prom-client";
import { systemClock } from "../process/clock.ts";
import type { Clock, Random } from "../process/clock.ts";
import type { Log } from "../process/log.ts";
import type { Cluster } from "./cluster.ts";
import { isNotFound } from "./errors.ts";
import type { ListWatchClient, WatchQuery } from "./list-watch.ts";
import { listAllPages } from "./paging.ts";
import type { ListPage, ListQuery } from "./paging.ts";
import { collectionPath, objectPath, queryString, resourceName, selectors } from "./paths.ts";
import { apiVersion } from "./resources.ts";
import { Transport } from "./transport.ts";
import type { ApiRequest } from "./transport.ts";
import type { ApplyOptions, DeleteOptions, KubeClient, KubeObject, ObjectName, Resource, Scope } from "./types.ts";

export interface KubeClientDeps {
  readonly log: Log;
  /** `program/version`: the server names field managers after it where none is given, and sorts requests by it. */
  readonly userAgent: string;
  readonly metrics?: Registry | undefined;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** The one place that knows the media type of every kind of patch. */
const patchTypes = {
  apply: "application/apply-patch+yaml",
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
} as const;

/** Dispose closes its connections and breaks what is under way. */
export function createKubeClient(
  cluster: Cluster,
  deps: KubeClientDeps,
): KubeClient & ListWatchClient & AsyncDisposable {
  const transport = new Transport(cluster, {
    log: deps.log,
    userAgent: deps.userAgent,
    clock: deps.clock ?? systemClock,
    random: deps.random ?? Math.random,
    metrics: deps.metrics,
  });
  return new RestClient(transport);
}

class RestClient implements KubeClient, ListWatchClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async get(resource: Resource, name: ObjectName, signal?: AbortSignal): Promise<KubeObject | undefined> {
    try {
      return await this.#object(
        { method: "GET", path: objectPath(resource, name), idempotent: true, ...asked("get", resource, name.name) },
        signal,
      );
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async list(resource: Resource, scope: Scope, signal?: AbortSignal): Promise<readonly KubeObject[]> {
    const { items } = await listAllPages((query) => this.listPage(resource, scope, query, signal), {});
    return items;
  }

  async listPage(resource: Resource, scope: Scope, query: ListQuery, signal?: AbortSignal): Promise<ListPage> {
    const path = collectionPath(resource, scope.namespace) + queryString({ ...selectors(scope), ...query });
    const body = await this.#transport.json(
      { method: "GET", path, idempotent: true, ...asked("list", resource) },
      signal,
    );
    return parseList(resource, body);
  }

  watch(resource: Resource, scope: Scope, query: WatchQuery, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const path =
      collectionPath(resource, scope.namespace) +
      queryString({ watch: true, allowWatchBookmarks: true, ...selectors(scope), ...query });
    return this.#transport.stream({ method: "GET", path, idempotent: true, ...asked("watch", resource) }, signal);
  }

  create(resource: Resource, object: KubeObject, signal?: AbortSignal): Promise<KubeObject> {
    const { namespace, name } = object.metadata;
    const path = collectionPath(resource, requireNamespace(resource, namespace));
    return this.#object(
      { method: "POST", path, body: object, idempotent: false, ...asked("create", resource, name) },
      signal,
    );
  }

  replace(resource: Resource, object: KubeObject, signal?: AbortSignal): Promise<KubeObject> {
    const { name } = object.metadata;
    const path = objectPath(resource, object.metadata);
    return this.#object(
      { method: "PUT", path, body: object, idempotent: true, ...asked("update", resource, name) },
      signal,
    );
  }

  apply(resource: Resource, object: KubeObject, options: ApplyOptions, signal?: AbortSignal): Promise<KubeObject> {
    const path =
      objectPath(resource, object.metadata, options.subresource) +
      queryString({
        fieldManager: options.fieldManager,
        force: options.force,
        fieldValidation: "Warn",
      });
    const context = asked("apply", resource, object.metadata.name);
    return this.#patch("apply", path, object, true, context, signal);
  }

  mergePatch(resource: Resource, name: ObjectName, patch: unknown, signal?: AbortSignal): Promise<KubeObject> {
    const context = asked("patch", resource, name.name);
    return this.#patch("merge", objectPath(resource, name), patch, true, context, signal);
  }

  jsonPatch(
    resource: Resource,
    name: ObjectName,
    patch: readonly unknown[],
    signal?: AbortSignal,
    subresource?: ApplyOptions["subresource"],
  ): Promise<KubeObject> {
    // Not idempotent: "add" to an array adds twice.
    const context = asked("patch", resource, name.name);
    return this.#patch("json", objectPath(resource, name, subresource), patch, false, context, signal);
  }

  async delete(
    resource: Resource,
    name: ObjectName,
    options: DeleteOptions = {},
    signal?: AbortSignal,
  ): Promise<boolean> {
    const { propagationPolicy, ...preconditions } = options;
    const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions, propagationPolicy };
    const path = objectPath(resource, name);
    try {
      await this.#transport.json(
        { method: "DELETE", path, body, idempotent: true, ...asked("delete", resource, name.name) },
        signal,
      );
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  raw(method: "GET" | "POST", path: string, body?: unknown, signal?: AbortSignal): Promise<unknown> {
    const request = { method, path, body, idempotent: method === "GET", verb: method, resource: path };
    return this.#transport.json(request, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#transport[Symbol.asyncDispose]();
  }

  #patch(
    kind: keyof typeof patchTypes,
    path: string,
    body: unknown,
    idempotent: boolean,
    context: Asked,
    signal: AbortSignal | undefined,
  ): Promise<KubeObject> {
    return this.#object({ method: "PATCH", path, body, contentType: patchTypes[kind], idempotent, ...context }, signal);
  }

  async #object(request: ApiRequest, signal: AbortSignal | undefined): Promise<KubeObject> {
    const body = await this.#transport.json(request, signal);
    if (!isKubeObject(body)) throw new Error(`Cannot ${request.verb} ${request.resource}: the answer is no object`);
    return body;
  }
}

type Asked = Pick<ApiRequest, "verb" | "resource" | "objectName">;

function asked(verb: string, resource: Resource, objectName?: string): Asked {
  return { verb, resource: resourceName(resource), objectName };
}

function requireNamespace(resource: Resource, namespace: string | undefined): string | undefined {
  if (!resource.namespaced) return undefined;
  if (namespace === undefined)
    throw new TypeError(`Cannot create ${resourceName(resource)}: metadata.namespace is not set`);
  return namespace;
}

/** The items of a list of a built-in kind do not say what they are. */
function parseList(resource: Resource, body: unknown): ListPage {
  const list = body as {
    readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
    readonly items?: readonly Omit<KubeObject, "apiVersion" | "kind">[] | null;
  } | null;
  if (typeof list?.metadata?.resourceVersion !== "string") {
    throw new Error(`Cannot list ${resourceName(resource)}: the answer is no list with a resourceVersion`);
  }
  const type = { apiVersion: apiVersion(resource), kind: resource.kind };
  return {
    items: (list.items ?? []).map((item) => Object.assign(item, type) as KubeObject),
    resourceVersion: list.metadata.resourceVersion,
    continue: list.metadata.continue ?? "",
  };
}

function isKubeObject(body: unknown): body is KubeObject {
  return typeof body === "object" && body !== null && "kind" in body && "metadata" in body;
}
