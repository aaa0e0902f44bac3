import fc from "fast-check";
import type { SchemaNode } from "../../operator/api/schema.ts";

/** Texts that mean something somewhere in the API, and neighbours that do not. */
const words: readonly string[] = [
  ["", "a", "A", "x-y", "a_b", "a.b", "-a", "a-", "kubearmor", "kubearmor-app", "Größe 1", "a b", "a\nb", "日本語😀"],
  ["relay-metrics", "memory", "cpu", "app.kubernetes.io/name", "operator.kubearmor.com/relay", "a.b/c", "a..b/c", "/a"],
  ["host:1", "host:65535", "host:65536", "[::1]:1", "[::1]", "[1:2]:3", "10.0.0.1:80", "host"],
  ["10.0.0.0/8", "10.0.0.0/33", "10.0.0.256/8", "::/0", "2001:db8::/32", "::/129", "::ffff:10.0.0.0/104", "0.0.0.0/0"],
  [
    "POD_NAME",
    "ENABLE_STDOUT_LOGS",
    "MY.VAR-1",
    "1X",
    "kubernetes.io/hostname",
    "example.com/lb",
    "a/b/c",
    "metadata.name",
  ],
  ["1%", "100%", "101%", "0%", "50", "%", "01%"],
].flat();
const quantities: readonly string[] = [
  ["0", "1", "100m", "1Gi", "64Ki", "65535", "65536", "128Mi", "256Mi", "512Mi", "16Mi", "16777215", "16Gi", "17Gi"],
  ["1.5Gi", "1.0Gi", "1e9", "1E9", "1e-1", "5e+8", "1.", ".5", "+1Gi", "-1", "1Ei", "8E", "100E", "1n", "1u", "0.1n"],
  ["70000500m", "128000k", "134217728000m", "1e1.5", "1e100", "1 Gi", "1gi", "Gi", "0.5Mi", "20000000.0", "00128Mi"],
].flat();

/** A number that is nobody's bound. */
const numbers = [-1, 0, 1, 2, 99, 100, 101, 30_000, 2_147_483_647, 2_147_483_648, 2 ** 53 - 1];

/** How values are made up. */
interface Style {
  /** Also values just beyond a bound. */
  readonly beyond: boolean;
  /** Fields of an object at a time, of the spec itself and of what is in it. */
  readonly fields: readonly [spec: number, below: number];
  /** Of maps. */
  readonly keys: readonly string[];
}

/** Few fields at a time, each of which alone may be out of bounds. */
export const sparse: Style = { beyond: true, fields: [3, 3], keys: words };
/** Fields within their bounds, so many together that they contradict each other. */
export const dense: Style = {
  beyond: false,
  fields: [3, 16],
  keys: ["memory", "cpu", "kubearmor-app", "app.kubernetes.io/name", "a..b/c", "a.b/c"],
};

/** Values of the right type. */
export function valueOf(node: SchemaNode, style: Style, depth = 0): fc.Arbitrary<unknown> {
  if (node.enum !== undefined) return fc.constantFrom(...node.enum);
  switch (node.type) {
    case "boolean":
      return fc.boolean();
    case "integer":
      return integerOf(node, style);
    case "string":
      return textOf(node, style);
    case "int-or-string":
      return fc.oneof(
        {
          weight: 3,
          arbitrary: fc.constantFrom(...quantities.filter((each) => style.beyond || isFitting(each, node))),
        },
        {
          weight: 2,
          arbitrary: fc.constantFrom(...numbers, 134_217_728, 268_435_456).filter((each) => style.beyond || each >= 0),
        },
        { weight: 1, arbitrary: textOf(node, style) },
      );
    case "array":
      return listOf(node, style, depth);
    case "object":
      return node.values === undefined ? objectOf(node, style, depth) : mapOf(node, node.values, style, depth);
  }
}

function isFitting(text: string, { pattern, minLength = 0, maxLength = Infinity }: SchemaNode): boolean {
  return pattern?.test(text) !== false && text.length >= minLength && text.length <= maxLength;
}

function integerOf({ minimum, maximum }: SchemaNode, { beyond }: Style): fc.Arbitrary<number> {
  const low = minimum ?? -10;
  const high = maximum ?? 4_000_000;
  return fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: low, max: high }) },
    { weight: 3, arbitrary: fc.constantFrom(low, high) },
    { weight: beyond ? 1 : 0, arbitrary: fc.constantFrom(low - 1, high + 1, ...numbers) },
  );
}

function textOf(node: SchemaNode, { beyond }: Style): fc.Arbitrary<string> {
  const { maxLength = 100 } = node;
  const fitting = words.filter((word) => isFitting(word, node));
  const long = ["a", "é", "😀"].flatMap((letter) => [letter.repeat(maxLength), letter.repeat(maxLength + 1)]);
  return fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...(fitting.length === 0 ? words : fitting)) },
    { weight: beyond ? 1 : 0, arbitrary: fc.constantFrom(...words) },
    { weight: beyond ? 1 : 0, arbitrary: fc.constantFrom(...(maxLength > 5000 ? words : long)) },
    { weight: beyond ? 1 : 0, arbitrary: fc.string({ unit: "grapheme", maxLength: 12 }) },
  );
}

function listOf({ items, minItems = 0, maxItems = 8 }: SchemaNode, style: Style, depth: number): fc.Arbitrary<unknown> {
  if (items === undefined) return fc.constant([]);
  const item = valueOf(items, style, depth + 1);
  const few = fc.array(item, { minLength: minItems, maxLength: Math.min(3, maxItems), size: "max" });
  if (!style.beyond || maxItems > 16) return few;
  const many = fc.array(item, { minLength: Math.max(0, maxItems - 1), maxLength: maxItems + 1, size: "max" });
  return fc.oneof({ weight: 12, arbitrary: few }, { weight: 1, arbitrary: many });
}

function mapOf(node: SchemaNode, values: SchemaNode, style: Style, depth: number): fc.Arbitrary<unknown> {
  const { maxProperties = 16 } = node;
  const value = valueOf(values, style, depth + 1);
  const few = fc.dictionary(fc.constantFrom(...style.keys), value, { maxKeys: 3, size: "max" });
  const many = fc
    .tuple(value, fc.constantFrom(maxProperties, maxProperties + 1))
    .map(([each, count]) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, each])));
  return fc.oneof({ weight: 12, arbitrary: few }, { weight: style.beyond ? 1 : 0, arbitrary: many });
}

function objectOf({ properties, required = [] }: SchemaNode, style: Style, depth: number): fc.Arbitrary<unknown> {
  if (properties === undefined) return fc.constantFrom({}, { other: [1, null, { a: "b" }] });
  const all = Object.keys(properties);
  const ruled = all.filter((name) => depth > 0 || hasRules(properties[name]));
  const names = style.beyond ? all : ruled;
  const most = Math.min(style.fields[depth === 0 ? 0 : 1], names.length);
  return fc.subarray(names, { maxLength: most }).chain((chosen) => {
    const entries = [...new Set([...required, ...chosen])].flatMap((name) => {
      const child = properties[name];
      return child === undefined ? [] : [[name, valueOf(child, style, depth + 1)] as const];
    });
    return fc.record(Object.fromEntries(entries));
  });
}

function hasRules(node: SchemaNode | undefined): boolean {
  if (node === undefined) return false;
  const below = [...Object.values(node.properties ?? {}), node.items, node.values];
  return node.rules !== undefined || below.some(hasRules);
}

type Path = readonly (string | number)[];

export interface Mutated {
  readonly value: unknown;
  /** It may have fields that the schema does not know. */
  readonly hasUnknown: boolean;
}

const intruders = [null, 5, -1, 1.5, 1e21, true, "", "text", [], {}, [null], [{}], "1e400"] as const;

/** The value with up to two places changed: taken away, replaced by what does not belong there, or with a field more. */
export function mutated(values: fc.Arbitrary<unknown>): fc.Arbitrary<Mutated> {
  const change = fc.record({
    place: fc.nat(),
    kind: fc.constantFrom("drop", "replace", "replace", "add"),
    intruder: fc.constantFrom(...intruders),
  });
  const changes = fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.array(change, { minLength: 1, maxLength: 2 }) },
  );
  return fc.tuple(values, changes).map(([value, list]) => {
    let out = value;
    let hasUnknown = false;
    for (const { place, kind, intruder } of list) {
      const paths = pathsOf(out);
      const path = paths[place % paths.length] ?? [];
      if (kind === "add") hasUnknown = true;
      out = changed(out, path, (at) => {
        if (kind === "replace") return intruder;
        if (kind === "drop") return undefined;
        return isObject(at) ? { ...at, unknownField: intruder } : at;
      });
    }
    return { value: out, hasUnknown };
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function pathsOf(value: unknown): readonly Path[] {
  const below = Array.isArray(value) ? [...value.entries()] : isObject(value) ? Object.entries(value) : [];
  const paths: Path[] = [[]];
  for (const [key, child] of below) for (const path of pathsOf(child)) paths.push([key, ...path]);
  return paths;
}

function changed(value: unknown, path: Path, change: (at: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    return list
      .map((item, index) => (index === key ? changed(item, rest, change) : item))
      .filter((item) => item !== undefined);
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(
    ([name, child]) => [name, name === key ? changed(child, rest, change) : child] as const,
  );
  return Object.fromEntries(entries.filter(([, child]) => child !== undefined));
}
