import { isDeepStrictEqual } from "node:util";
import { type Fields, isFields } from "./fields.ts";
import { itemKey, keyText } from "./item-key.ts";
import { type Shape, fieldShape } from "./shape.ts";

/** In an object: takes the whole of it away. `null` does so too, but `kubectl apply` removes a null before it is stored. */
export const removal = { directive: "$patch", value: "delete" } as const;

export interface Merged {
  readonly value: Fields;
  /** Where something of `ours` was replaced or removed, for instance `.spec.containers[relay].image`; in order, unique. */
  readonly overridden: readonly string[];
}

/**
 * Lays `theirs` over `ours`: objects are merged, lists with keys are merged by key, all else replaces, and `null` removes.
 * Whatever is given, the result is `ours` when nothing is, has no key twice, and stays when it is merged again.
 */
export function merge(ours: Fields, theirs: unknown, shape: Shape): Merged {
  const overridden = new Set<string>();
  const value = isFields(theirs) ? mergeFields(ours, theirs, shape, "", overridden) : ours;
  return { value, overridden: [...overridden] };
}

export function isRemoval(value: unknown): boolean {
  return value === null || (isFields(value) && value[removal.directive] === removal.value);
}

function mergeValue(ours: unknown, theirs: unknown, shape: Shape, path: string, overridden: Set<string>): unknown {
  if (shape.keys !== undefined)
    return mergeList(Array.isArray(ours) ? ours : [], theirs, { ...shape, keys: shape.keys }, path, overridden);
  if (isFields(theirs)) {
    if (ours !== undefined && !isFields(ours)) overridden.add(path);
    return mergeFields(isFields(ours) ? ours : {}, theirs, shape, path, overridden);
  }
  if (ours !== undefined && !isDeepStrictEqual(ours, theirs)) overridden.add(path);
  return theirs;
}

function mergeFields(ours: Fields, theirs: Fields, shape: Shape, path: string, overridden: Set<string>): Fields {
  const merged = new Map(Object.entries(ours));
  const remove = (name: string) => {
    if (merged.delete(name)) overridden.add(`${path}.${name}`);
  };
  for (const name of excluded(ours, theirs, shape)) remove(name);
  for (const [name, value] of Object.entries(theirs)) {
    if (name === removal.directive) continue;
    if (isRemoval(value)) remove(name);
    else {
      const next = mergeValue(merged.get(name), value, fieldShape(shape, name), `${path}.${name}`, overridden);
      if (next !== undefined) merged.set(name, next);
    }
  }
  return Object.fromEntries(merged);
}

/** Those of our fields that what is given takes the place of. */
function excluded(ours: Fields, theirs: Fields, { oneOf }: Shape): readonly string[] {
  if (oneOf === undefined) return [];
  const exclusive = (name: string) => (oneOf === "all-but-name" ? name !== "name" : oneOf.includes(name));
  const given = Object.keys(theirs).filter((name) => exclusive(name) && !isRemoval(theirs[name]));
  return given.length === 0 ? [] : Object.keys(ours).filter((name) => exclusive(name) && !given.includes(name));
}

type KeyedShape = Shape & { readonly keys: readonly [string, ...string[]] };

function mergeList(
  ours: readonly unknown[],
  theirs: unknown,
  shape: KeyedShape,
  path: string,
  overridden: Set<string>,
): unknown {
  const merged = byKey(ours, shape);
  for (const [key, item] of byKey(theirs, shape)) {
    const itemPath = `${path}[${keyText(key)}]`;
    if (!isRemoval(item)) {
      merged.set(key, mergeValue(merged.get(key), item, shape.item ?? {}, itemPath, overridden));
    } else if (merged.delete(key)) overridden.add(itemPath);
  }
  return merged.size === 0 && ours.length === 0 ? undefined : [...merged.values()];
}

/** What is no list, an item without its keys, and all but the last of one key count for nothing: they are refused elsewhere. */
function byKey(list: unknown, shape: Shape): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const item of Array.isArray(list) ? (list as readonly unknown[]) : []) {
    const key = itemKey(item, shape);
    if (key !== undefined) found.set(key, item);
  }
  return found;
}
