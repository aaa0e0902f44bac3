/** The part of the CRD's structural schema that the generators of types read. */
export interface CrdSchema {
  readonly type?: "object" | "array" | "string" | "integer" | "boolean";
  readonly description?: string;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, CrdSchema>>;
  readonly additionalProperties?: CrdSchema;
  readonly items?: CrdSchema;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-validations"?: readonly Validation[];
}

interface Validation {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
}

/** Copied as they are. */
const facts = [
  "default",
  "required",
  "enum",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
] as const;

/** Bounds where the schema has none of its own. The server checks this format, and no other of numbers. */
const int32 = { minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };

/** The text of a SchemaNode of operator/api/schema.ts. */
export function schemaText(schema: CrdSchema): string {
  const text = JSON.stringify(schemaNode(schema, ""), undefined, 2);
  // As the server reads patterns: by code points, and `$` is the end of the text.
  return text.replaceAll(
    /"pattern": ("(?:[^"\\]|\\.)*")/g,
    (_, pattern: string) => `"pattern": new RegExp(${pattern}, "u")`,
  );
}

/** The messages of all rules about one state of an object, as a union of types. */
export function ruleMessages(schema: CrdSchema): string {
  const messages = [...new Set(messagesOf(schema))].toSorted();
  return messages.map((message) => `\n  | ${JSON.stringify(message)}`).join("");
}

/** Without `metadata`, which the server knows and wants no schema of in the CRD. */
export function isBare(schema: CrdSchema): boolean {
  return Object.keys(schema).join() === "type" && schema.type === "object";
}

function schemaNode(schema: CrdSchema, about: string): object {
  const wanted = schema.description ?? about;
  const { properties, additionalProperties, items, pattern } = schema;
  const rules = rulesOf(schema).map(({ message, fieldPath = "" }) => ({ message, fieldPath }));
  return {
    type: schema["x-kubernetes-int-or-string"] === true ? "int-or-string" : schema.type,
    ...(schema.format === "int32" ? int32 : {}),
    ...Object.fromEntries(facts.filter((name) => schema[name] !== undefined).map((name) => [name, schema[name]])),
    ...(pattern === undefined ? {} : { pattern, wanted }),
    ...listFacts(schema),
    ...(isBare(schema) || schema["x-kubernetes-preserve-unknown-fields"] === true ? { keepsUnknown: true } : {}),
    ...(rules.length === 0 ? {} : { rules }),
    ...(items === undefined ? {} : { items: schemaNode(items, wanted) }),
    ...(additionalProperties === undefined ? {} : { values: schemaNode(additionalProperties, wanted) }),
    ...(properties === undefined ? {} : { properties: mapValues(properties, (child) => schemaNode(child, wanted)) }),
  };
}

function listFacts(schema: CrdSchema): object {
  const kind = schema["x-kubernetes-list-type"];
  if (kind === "set") return { unique: [] };
  return kind === "map" ? { unique: schema["x-kubernetes-list-map-keys"] } : {};
}

/** Rules about a change need the state before it; those that an object breaks for good are in here. */
function rulesOf(schema: CrdSchema): readonly Validation[] {
  return (schema["x-kubernetes-validations"] ?? []).filter(({ rule }) => !rule.includes("oldSelf"));
}

function messagesOf(schema: CrdSchema): readonly string[] {
  const parts = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties];
  const own = rulesOf(schema).map(({ message }) => message);
  return [...own, ...parts.flatMap((part) => (part === undefined ? [] : messagesOf(part)))];
}

function mapValues(from: Readonly<Record<string, CrdSchema>>, change: (child: CrdSchema) => object): object {
  return Object.fromEntries(Object.entries(from).map(([name, child]) => [name, change(child)]));
}
