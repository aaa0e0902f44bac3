import { isDeepStrictEqual } from "node:util";
import { appliedBy, fieldChildren } from "./managed-fields.ts";
import type { FieldChild, FieldNode } from "./managed-fields.ts";
import { parseQuantity } from "./quantity.ts";
import type { KubeObject } from "./types.ts";

/**
 * Why an apply would write:
 * - `unowned`: the field is there and not ours: never written by us, or taken by another manager who changed it;
 * - `missing`: the field is not there and not ours: never written by us, or removed by somebody else;
 * - `changed`: the field is ours and its live value is not the desired one;
 * - `surplus`: the field is ours and no longer desired.
 */
export interface FieldDifference {
  readonly kind: "unowned" | "missing" | "changed" | "surplus";
  /** For instance `.spec.template.spec.containers[name="relay"].image`. */
  readonly path: string;
}

/** Fields that a body may name but that no manager owns. */
const unmanagedMetadata = new Set([
  "name",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "managedFields",
  "selfLink",
]);

/**
 * What an apply of `desired` would change; nothing: then it need not be sent. The fields that the manager owns say which
 * lists are keyed, sets or atomic, so no schema is needed: what the server did not list as ours is a difference anyway.
 * Errs on the side of a difference: defaults that the server adds inside of atomic fields (for instance
 * `fieldRef.apiVersion`) make one unless `desired` spells them out, and so does an empty map that others have filled: leave
 * it out.
 */
export function applyDifferences(
  live: KubeObject,
  desired: KubeObject,
  fieldManager: string,
  subresource?: string,
): readonly FieldDifference[] {
  const entry = appliedBy(live, fieldManager, subresource);
  if (entry === undefined) return [{ kind: "unowned", path: "" }];
  // Ownership is recorded in terms of one version of the API.
  if (entry.apiVersion !== desired.apiVersion) return [{ kind: "unowned", path: ".apiVersion" }];
  const differences: FieldDifference[] = [];
  compareObject(managedPart(desired), managedPart(live), entry.fieldsV1 ?? {}, "", differences);
  return differences;
}

type Fields = Readonly<Record<string, unknown>>;

function managedPart(object: KubeObject): Fields {
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = object;
  const managed = Object.entries(metadata).filter(([name]) => !unmanagedMetadata.has(name));
  return managed.length === 0 ? rest : { ...rest, metadata: Object.fromEntries(managed) };
}

function compare(desired: unknown, live: unknown, node: FieldNode, path: string, found: FieldDifference[]): void {
  const children = fieldChildren(node);
  if (children.length === 0) {
    if (!isSameValue(desired, live, path)) found.push({ kind: "changed", path });
  } else if (Array.isArray(desired) && children.every((child) => child.kind !== "field")) {
    compareList(desired, Array.isArray(live) ? live : [], children, path, found);
  } else if (isFields(desired) && children.every((child) => child.kind === "field")) {
    compareObject(desired, isFields(live) ? live : {}, node, path, found);
  } else {
    found.push({ kind: "changed", path });
  }
}

function compareObject(desired: Fields, live: Fields, node: FieldNode, path: string, found: FieldDifference[]): void {
  const owned = new Map<string, FieldNode>();
  for (const child of fieldChildren(node)) if (child.kind === "field") owned.set(child.name, child.node);
  for (const [name, value] of Object.entries(desired)) {
    if (value === undefined || value === null) continue;
    const child = owned.get(name);
    owned.delete(name);
    if (child === undefined) {
      const kind = live[name] === undefined ? "missing" : "unowned";
      if (!isNothing(value, live[name])) found.push({ kind, path: `${path}.${name}` });
    } else compare(value, live[name], child, `${path}.${name}`, found);
  }
  for (const name of owned.keys()) found.push({ kind: "surplus", path: `${path}.${name}` });
}

/** Lists whose items have an identity: keyed ones and sets. */
function compareList(
  desired: readonly unknown[],
  live: readonly unknown[],
  children: readonly FieldChild[],
  path: string,
  found: FieldDifference[],
): void {
  const owned = new Set(children);
  let lastIndex = -1;
  for (const item of desired) {
    const child = [...owned].find((candidate) => isItem(item, candidate));
    if (child === undefined) {
      found.push({ kind: "unowned", path: `${path}[${JSON.stringify(item)}]` });
      continue;
    }
    owned.delete(child);
    const itemPath = path + label(child);
    const index = live.findIndex((candidate) => isLiveItem(candidate, child));
    if (index === -1) found.push({ kind: "changed", path: itemPath });
    else if (child.kind !== "value") compare(item, live[index], child.node, itemPath, found);
    // Order counts, as in environment variables that refer to earlier ones: an apply restores it.
    if (index !== -1 && index < lastIndex) found.push({ kind: "changed", path });
    lastIndex = Math.max(lastIndex, index);
  }
  for (const child of owned) found.push({ kind: "surplus", path: path + label(child) });
}

/** A key that the item leaves out has its default: the server put it into the key, but not among our fields. */
function isItem(item: unknown, child: FieldChild): boolean {
  if (child.kind === "value") return isDeepStrictEqual(item, child.value);
  if (child.kind !== "item" || !isFields(item)) return false;
  return Object.entries(child.keys).every(([key, value]) =>
    item[key] === undefined ? !Object.hasOwn(child.node, `f:${key}`) : isDeepStrictEqual(item[key], value),
  );
}

function isLiveItem(item: unknown, child: FieldChild): boolean {
  if (child.kind === "value") return isDeepStrictEqual(item, child.value);
  if (child.kind !== "item" || !isFields(item)) return false;
  return Object.entries(child.keys).every(([key, value]) => isDeepStrictEqual(item[key], value));
}

function isSameValue(desired: unknown, live: unknown, path: string): boolean {
  // The server does not write what is empty, such as `readOnly: false`, but we own it all the same.
  if (live === undefined) return isEmpty(desired);
  if (isDeepStrictEqual(desired, live)) return true;
  if (!isQuantityPath(path)) return false;
  const quantity = parseQuantity(desired);
  return quantity !== undefined && quantity === parseQuantity(live);
}

function isQuantityPath(path: string): boolean {
  return /\.(limits|requests|overhead)\.[^"\]]+$|\.sizeLimit$/.test(path);
}

/** The server does not record who owns an empty keyed list; where it is empty anyway, there is nothing to own. */
function isNothing(desired: unknown, live: unknown): boolean {
  return typeof desired === "object" && isEmpty(desired) && (live === undefined || isEmpty(live));
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isFields(value)) return Object.keys(value).length === 0;
  return value === false || value === 0 || value === "";
}

function label(child: FieldChild): string {
  if (child.kind === "value") return `[=${JSON.stringify(child.value)}]`;
  if (child.kind === "field") return `.${child.name}`;
  const keys = Object.entries(child.keys).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return `[${keys.join(",")}]`;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
