/** A field of the API, as far as the operator checks it. Generated from the CRD, in its words. */
export interface SchemaNode {
  readonly type: "object" | "array" | "string" | "integer" | "boolean" | "int-or-string";
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: RegExp;
  /** What the pattern is for, in words. */
  readonly wanted?: string;
  /** In code points. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  /** Of these fields no two items have the same values; of none: no two items are the same. */
  readonly unique?: readonly string[];
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  /** Of every value of a map. */
  readonly values?: SchemaNode;
  /** Fields that are not in the schema stay. Elsewhere they are taken away. */
  readonly keepsUnknown?: true;
  /** Conditions on the field as a whole, evaluated once it is of the right type. */
  readonly rules?: readonly SchemaRule[];
}

export interface SchemaRule {
  readonly message: string;
  /** Below the field; empty = the field itself. */
  readonly fieldPath: string;
}

/** What a value breaks, in words that end a sentence which begins with the path. */
export interface Violation {
  /** From the root, as the server writes it: `spec.env[0].name`. */
  readonly path: string;
  readonly message: string;
}
