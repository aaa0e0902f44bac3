import type { KubeObject, ManagedFieldsEntry } from "./types.ts";

/**
 * A node of FieldsV1. Keys: `f:name` a field, `k:{...}` the item of a list with these key fields, `v:value` the item of
 * a set, `.` the node itself. A node without children is a leaf: a scalar, something empty, or something atomic.
 * https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#fieldsv1-v1-meta
 */
export type FieldNode = Readonly<Record<string, unknown>>;

export type FieldChild =
  | { readonly kind: "field"; readonly name: string; readonly node: FieldNode }
  | { readonly kind: "item"; readonly keys: Readonly<Record<string, unknown>>; readonly node: FieldNode }
  | { readonly kind: "value"; readonly value: unknown; readonly node: FieldNode };

/** What a manager owns by server-side apply; its updates by other verbs are another entry. */
export function appliedBy(
  object: KubeObject,
  fieldManager: string,
  subresource?: string,
): ManagedFieldsEntry | undefined {
  return object.metadata.managedFields?.find(
    (entry) =>
      entry.manager === fieldManager &&
      entry.operation === "Apply" &&
      (entry.subresource ?? "") === (subresource ?? ""),
  );
}

/**
 * The record of an object after what others own under some fields, by writes of the object itself, has become the manager's:
 * its next apply then removes what it does not name. What was written through a subresource stays.
 * @param paths names of fields from the root, without the items of lists, for instance `["spec", "ports"]`
 * @returns undefined when there is nothing to take
 */
export function withFieldsTaken(
  object: KubeObject,
  fieldManager: string,
  paths: readonly (readonly string[])[],
): readonly ManagedFieldsEntry[] | undefined {
  const ours = appliedBy(object, fieldManager);
  if (ours === undefined) return undefined;
  const own = ours.fieldsV1 ?? {};
  let fields = own;
  const others: ManagedFieldsEntry[] = [];
  for (const entry of object.metadata.managedFields ?? []) {
    if (entry === ours) continue;
    // Fields are recorded in terms of one version of the API.
    const isTakeable = entry.subresource === undefined && entry.apiVersion === ours.apiVersion;
    const { taken, rest } = split(entry.fieldsV1 ?? {}, isTakeable ? paths : []);
    fields = isLeaf(taken) ? fields : union(fields, taken);
    if (isLeaf(taken)) others.push(entry);
    else if (!isLeaf(rest)) others.push({ ...entry, fieldsV1: rest });
  }
  return fields === own ? undefined : [{ ...ours, fieldsV1: fields }, ...others];
}

export interface Succession {
  /** Who takes over: a manager that applies. */
  readonly fieldManager: string;
  /** Managers whose fields stay theirs. */
  readonly keeps: (manager: string) => boolean;
  /** Names of fields from the root that stay with whoever has them. */
  readonly untaken: readonly (readonly string[])[];
}

/**
 * The record of an object after all that others wrote to the object itself has become the manager's: its next apply then removes
 * whatever it does not name, as if it had made the object. What was written through a subresource stays, and so does what is
 * recorded in terms of another version of the API.
 * @returns undefined when there is nothing to take
 */
export function withWritersSucceeded(
  object: KubeObject,
  { fieldManager, keeps, untaken }: Succession,
): readonly ManagedFieldsEntry[] | undefined {
  const ours = appliedBy(object, fieldManager);
  const own = ours?.fieldsV1 ?? {};
  let fields = own;
  const others: ManagedFieldsEntry[] = [];
  for (const entry of object.metadata.managedFields ?? []) {
    if (entry === ours) continue;
    const isTakeable =
      entry.subresource === undefined && entry.apiVersion === object.apiVersion && !keeps(entry.manager ?? "");
    const { taken: kept, rest } = split(entry.fieldsV1 ?? {}, untaken);
    fields = isTakeable && !isLeaf(rest) ? union(fields, rest) : fields;
    if (!isTakeable) others.push(entry);
    else if (!isLeaf(kept)) others.push({ ...entry, fieldsV1: kept });
  }
  if (fields === own) return undefined;
  const { apiVersion } = object;
  const blank = { manager: fieldManager, operation: "Apply", apiVersion, fieldsType: "FieldsV1" };
  return [{ ...blank, ...ours, fieldsV1: fields }, ...others];
}

interface Parts {
  readonly taken: FieldNode;
  readonly rest: FieldNode;
}

/** What is under the paths, and all else. */
function split(node: FieldNode, paths: readonly (readonly string[])[]): Parts {
  const taken: Record<string, unknown> = {};
  const rest: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(node) as [string, FieldNode][]) {
    // Items of lists are no part of a path.
    const isField = key.startsWith("f:");
    const further = isField ? paths.filter(([name]) => name === key.slice(2)).map(([_name, ...names]) => names) : paths;
    if (isField && further.some((path) => path.length === 0)) taken[key] = child;
    else {
      const parts = split(child, further);
      // A node that lost all its children must not look like a leaf, which would own the whole field.
      if (!isLeaf(parts.taken)) taken[key] = parts.taken;
      if (!isLeaf(parts.rest) || isLeaf(child)) rest[key] = parts.rest;
    }
  }
  return { taken, rest };
}

function union(left: FieldNode, right: FieldNode): FieldNode {
  const merged: Record<string, unknown> = { ...left };
  for (const [key, node] of Object.entries(right) as [string, FieldNode][]) {
    const known = left[key] as FieldNode | undefined;
    if (known === undefined) merged[key] = node;
    // A leaf owns the node itself, which a node with children says by its mark only.
    else if (isLeaf(known) !== isLeaf(node)) merged[key] = { ".": {}, ...known, ...node };
    else merged[key] = union(known, node);
  }
  return merged;
}

function isLeaf(node: FieldNode): boolean {
  return Object.keys(node).length === 0;
}

/** The children of a node without the mark of the node itself. */
export function fieldChildren(node: FieldNode): readonly FieldChild[] {
  return Object.entries(node)
    .filter(([key]) => key !== ".")
    .map(([key, value]) => parseChild(key, (value ?? {}) as FieldNode));
}

function parseChild(key: string, node: FieldNode): FieldChild {
  const text = key.slice(2);
  switch (key.slice(0, 2)) {
    case "f:":
      return { kind: "field", name: text, node };
    case "k:":
      return { kind: "item", keys: JSON.parse(text) as Readonly<Record<string, unknown>>, node };
    case "v:":
      return { kind: "value", value: JSON.parse(text), node };
    default:
      throw new TypeError(`Cannot read the managed field "${key}": its prefix must be "f:", "k:" or "v:"`);
  }
}
