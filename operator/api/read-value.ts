import { boundViolations } from "./bounds.ts";
import type { SchemaNode, Violation } from "./schema.ts";

export interface ReadContext {
  /** Whether the rule with this message holds for a value that has the right type. */
  readonly holds: (message: string, value: unknown) => boolean;
  /** Told of what the schema does not allow. */
  readonly report: (violation: Violation) => void;
  /** Told of rules that do not hold. */
  readonly reportRule: (violation: Violation) => void;
}

/**
 * What the server would store for a value: unknown fields and nulls taken away, defaults filled in. What has the wrong type
 * is reported and left out, or replaced by its default, so that the result always has the type that the schema says; what
 * is only out of bounds is reported and stays. Undefined when nothing is left.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting
 */
export function readValue(value: unknown, node: SchemaNode, path: string, context: ReadContext): unknown {
  let isRight = true;
  const watched: ReadContext = {
    ...context,
    report(violation) {
      isRight = false;
      context.report(violation);
    },
  };
  const out = readTyped(value, node, path, watched);
  if (out === undefined) return undefined;
  for (const message of boundViolations(out, node)) watched.report({ path, message });
  // As on the server, rules are not evaluated on what is wrong anyway.
  for (const { message, fieldPath } of isRight ? (node.rules ?? []) : []) {
    if (!context.holds(message, out))
      context.reportRule({ path: path === "" ? fieldPath.slice(1) : `${path}${fieldPath}`, message });
  }
  return out;
}

const wantedTypes = {
  object: "an object",
  array: "a list",
  string: "a text",
  integer: "an integer",
  boolean: "true or false",
  "int-or-string": "an integer or a text",
} as const satisfies Record<SchemaNode["type"], string>;

function readTyped(value: unknown, node: SchemaNode, path: string, context: ReadContext): unknown {
  if (!hasType(value, node.type)) {
    context.report({ path, message: `is ${shown(value)}, must be ${wantedTypes[node.type]}` });
    return undefined;
  }
  if (node.enum?.includes(value) === false) {
    const words = node.enum.map((word) => JSON.stringify(word)).join(", ");
    context.report({ path, message: `is ${shown(value)}, must be one of ${words}` });
    return undefined;
  }
  if (Array.isArray(value)) return readItems(value, node, path, context);
  if (typeof value !== "object" || value === null || node.keepsUnknown === true) return value;
  return node.values === undefined
    ? readFields(value as Record<string, unknown>, node, path, context)
    : readMap(value as Record<string, unknown>, node.values, path, context);
}

function hasType(value: unknown, type: SchemaNode["type"]): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isSafeInteger(value);
    case "int-or-string":
      return Number.isSafeInteger(value) || typeof value === "string";
    case "boolean":
    case "string":
      return typeof value === type;
  }
}

function readItems(items: readonly unknown[], node: SchemaNode, path: string, context: ReadContext): unknown {
  const { items: schema } = node;
  if (schema === undefined) return items;
  return items
    .map((item, index) => readValue(item, schema, `${path}[${index}]`, context))
    .filter((item) => item !== undefined);
}

function readMap(map: Record<string, unknown>, schema: SchemaNode, path: string, context: ReadContext): unknown {
  const entries = Object.entries(map)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => [key, readValue(value, schema, `${path}[${key}]`, context)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function readFields(from: Record<string, unknown>, node: SchemaNode, path: string, context: ReadContext): unknown {
  const out: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(node.properties ?? {})) {
    const field = readField(
      from[name],
      schema,
      path === "" ? name : `${path}.${name}`,
      context,
      isRequired(node, name),
    );
    if (field !== undefined) out[name] = field;
  }
  return (node.required ?? []).every((name) => out[name] !== undefined) ? out : undefined;
}

function isRequired({ required = [] }: SchemaNode, name: string): boolean {
  return required.includes(name);
}

function readField(given: unknown, schema: SchemaNode, path: string, context: ReadContext, required: boolean): unknown {
  // An explicit null counts as absent: no field of this API is nullable.
  if (given !== undefined && given !== null) {
    const value = readValue(given, schema, path, context);
    if (value !== undefined) return value;
  } else if (schema.default !== undefined) {
    return readValue(structuredClone(schema.default), schema, path, context);
  } else if (required) context.report({ path, message: `is missing, must be ${wantedTypes[schema.type]}` });
  // In place of what cannot be read. An object's own fields may have defaults.
  const fallback = structuredClone(schema.default) ?? (required && schema.type === "object" ? {} : undefined);
  return fallback === undefined
    ? undefined
    : readValue(fallback, schema, path, { ...context, report: ignore, reportRule: ignore });
}

function ignore(): void {
  // The value that this one stands in for has been reported.
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
