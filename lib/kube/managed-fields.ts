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
