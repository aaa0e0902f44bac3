/**
 * crds/kubearmorrelays.yaml -> operator/api/types.gen.ts (the API's types) and operator/api/schema.gen.ts (its schema, for reading).
 * `--check` writes nothing and fails when they differ.
 */
import { readFile } from "node:fs/promises";
import { compile } from "json-schema-to-typescript";
import { parse } from "yaml";
import { writeGenerated } from "./output.ts";
import { type CrdSchema, isBare, ruleMessages, schemaText } from "./types-schema.ts";

const root = new URL("../../", import.meta.url);
const source = "crds/kubearmorrelays.yaml";
const banner = `// Generated from ${source} by hack/generate/types.ts. Do not edit.`;

const crd = parse(await readFile(new URL(source, root), "utf8")) as {
  readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: CrdSchema } }[] };
};
const schema = crd.spec.versions[0]?.schema.openAPIV3Schema;
if (schema === undefined) throw new Error(`Cannot generate types as ${source} has no version`);

const header = `${banner}\nimport type { ObjectMeta } from "../../lib/kube/types.ts";\n`;
const types = [
  await typesOf(schema, "KubeArmorRelay", "written"),
  await typesOf(schema, "DefaultedKubeArmorRelay", "defaulted"),
];
const schemaModule = `${banner}
import type { SchemaNode } from "./schema.ts";

/** Messages of the CRD's rules about one state of an object. */
export type RuleMessage =${ruleMessages(schema)};

export const relaySchema: SchemaNode = ${schemaText(schema)};
`;
process.exitCode = await writeGenerated(
  [
    { path: new URL("operator/api/types.gen.ts", root), text: [header, ...types].join("\n") },
    { path: new URL("operator/api/schema.gen.ts", root), text: schemaModule },
  ],
  process.argv.slice(2),
);

/** "written": what a user may write. "defaulted": what the server returns, where a field with a default is always there. */
function typesOf(from: CrdSchema, name: string, view: "written" | "defaulted"): Promise<string> {
  // Inlined, so that the two views have no interface names in common.
  return compile({ ...jsonSchema(from, view), title: name }, name, {
    bannerComment: "",
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
    strictIndexSignatures: false,
    style: { printWidth: 120, trailingComma: "all", bracketSpacing: true },
  });
}

function jsonSchema(from: CrdSchema, view: "written" | "defaulted"): Record<string, unknown> {
  const about = from.description === undefined ? {} : { description: from.description };
  if (from["x-kubernetes-int-or-string"] === true) return { ...about, tsType: "number | string" };
  if (from["x-kubernetes-preserve-unknown-fields"] === true) return { ...about, tsType: "Record<string, unknown>" };
  const properties = Object.entries(from.properties ?? {});
  const out: Record<string, unknown> = { ...about, type: from.type };
  if (from.enum !== undefined) out["enum"] = from.enum;
  if (from.items !== undefined) out["items"] = jsonSchema(from.items, view);
  if (from.additionalProperties !== undefined)
    out["additionalProperties"] = jsonSchema(from.additionalProperties, view);
  if (properties.length === 0) return out;
  out["properties"] = Object.fromEntries(
    // The server knows the schema of the object's own metadata, and wants none in the CRD.
    properties.map(([name, child]) => [name, isBare(child) ? { tsType: "ObjectMeta" } : jsonSchema(child, view)]),
  );
  const identity = new Set(from.properties?.["apiVersion"] === undefined ? [] : ["apiVersion", "kind", "metadata"]);
  out["required"] = properties
    .filter(([name, child]) => {
      if (from.required?.includes(name) === true || identity.has(name)) return true;
      return view === "defaulted" && child.default !== undefined;
    })
    .map(([name]) => name);
  return out;
}
