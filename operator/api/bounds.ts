import type { SchemaNode } from "./schema.ts";

/** Which bounds of its schema a value of the right type breaks. */
export function boundViolations(value: unknown, node: SchemaNode): readonly string[] {
  if (typeof value === "number") return rangeViolations(value, node.minimum, node.maximum, "is", "must be");
  if (typeof value === "string") return textViolations(value, node);
  if (Array.isArray(value)) return listViolations(value, node);
  if (typeof value !== "object" || value === null) return [];
  const { length } = Object.keys(value);
  return rangeViolations(length, node.minProperties, node.maxProperties, "has entries:", "must have");
}

function textViolations(text: string, { pattern, wanted = "", minLength, maxLength }: SchemaNode): readonly string[] {
  // The server counts code points.
  const length = maxLength === undefined && minLength === undefined ? 0 : Array.from(text).length;
  const long = rangeViolations(length, minLength, maxLength, "has characters:", "must have");
  if (long.length > 0 || pattern === undefined || pattern.test(text)) return long;
  const is = `is ${JSON.stringify(text)}`;
  // People read a short pattern; for a long one there are words.
  return [pattern.source.length > 100 ? `${is}, which is not valid: ${wanted}` : `${is}, must match ${pattern.source}`];
}

function listViolations(items: readonly unknown[], node: SchemaNode): readonly string[] {
  const count = rangeViolations(items.length, node.minItems, node.maxItems, "has items:", "must have");
  const { unique } = node;
  if (unique === undefined) return count;
  const keys = items.map((item) =>
    JSON.stringify(unique.length === 0 ? item : unique.map((name) => (item as Record<string, unknown>)[name])),
  );
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  return twice === undefined ? count : [...count, `has ${twice} twice, must have it once`];
}

function rangeViolations(
  value: number,
  min: number | undefined,
  max: number | undefined,
  is: string,
  must: string,
): readonly string[] {
  if (min !== undefined && value < min) return [`${is} ${value}, ${must} at least ${min}`];
  if (max !== undefined && value > max) return [`${is} ${value}, ${must} at most ${max}`];
  return [];
}
