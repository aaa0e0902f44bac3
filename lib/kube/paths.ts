import type { Resource, Scope } from "./types.ts";

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Path of all objects of a kind, or of those of one namespace. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  if (namespace === undefined) return `${root}/${resource.plural}`;
  if (!resource.namespaced) {
    throw new TypeError(
      `Cannot build the path of "${resource.plural}": its kind is cluster-scoped, got "${namespace}"`,
    );
  }
  return `${root}/namespaces/${segment(namespace)}/${resource.plural}`;
}

/** Path of one object. The name's letter case is kept: `system:Foo` and `system:foo` are two ClusterRoles. */
export function objectPath(
  resource: Resource,
  object: { readonly namespace?: string | undefined; readonly name: string },
  subresource?: string,
): string {
  if (resource.namespaced && (object.namespace === undefined || object.namespace === "")) {
    throw new TypeError(`Cannot build the path of ${resource.plural} "${object.name}": its kind needs a namespace`);
  }
  const collection = collectionPath(resource, resource.namespaced ? object.namespace : undefined);
  const suffix = subresource === undefined ? "" : `/${subresource}`;
  return `${collection}/${segment(object.name)}${suffix}`;
}

/** The query string with its question mark, or nothing; undefined values are left out. */
export function queryString(query: Query): string {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) parts.append(key, String(value));
  }
  return parts.size === 0 ? "" : `?${parts.toString()}`;
}

export function selectors(scope: Scope): Query {
  return { labelSelector: scope.labelSelector, fieldSelector: scope.fieldSelector };
}

/** How messages name a kind, as kubectl does: `deployments.apps`, `pods`. */
export function resourceName(resource: Resource): string {
  return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}

function segment(name: string): string {
  // The server refuses these names; in a path they would reach another object.
  if (name === "" || name === "." || name === "..") throw new TypeError(`Cannot build a path of the name "${name}"`);
  return encodeURIComponent(name);
}
