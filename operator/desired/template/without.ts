import { isFields } from "./fields.ts";

/** Maps that are no more than absent when they are empty; of other fields an empty object says something. */
const plainMaps = new Set(["matchLabels"]);

/** A null that is left by now is in a list that has no keys, where nothing of ours could be meant. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isFields(value)) return value;
  const kept = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(kept.map(([name, field]) => [name, withoutNulls(field)]));
}

/** Without those of these fields that are empty texts, in whose place the server puts its default. */
export function withoutEmpty(value: unknown, names: readonly string[]): unknown {
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name, field]) => field !== "" || !names.includes(name)));
}

/** Without empty texts and lists, which the server does not store. */
export function withoutNothing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNothing);
  if (!isFields(value)) return value;
  const kept = Object.entries(value).filter(
    ([name, field]) => field !== "" && !isEmptyList(field) && !(plainMaps.has(name) && isEmptyMap(field)),
  );
  return Object.fromEntries(
    // The values of labels may be empty.
    kept.map(([name, field]) => [name, plainMaps.has(name) ? field : withoutNothing(field)]),
  );
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

export function isEmptyMap(value: unknown): boolean {
  return isFields(value) && Object.keys(value).length === 0;
}
