/** crds/kubearmorrelays.yaml, operator/decide/reasons.ts -> docs/resource.md. `--check` writes nothing and fails when it differs. */
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { conditionTypes, reasons } from "../../operator/decide/reasons.ts";
import { writeGenerated } from "./output.ts";

/** The part of a structural schema that the page shows. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly "x-kubernetes-validations"?: readonly { readonly message?: string }[];
}

interface Crd {
  readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[] };
}

/** Settings that take effect in running pods, by their path or its first words. */
const live = [
  "stdout",
  "clusterName",
  "enrichment",
  "limits",
  "logLevel",
  "agents.namespaces",
  "agents.selector",
  "agents.port",
];
/** Settings that concern other objects than the pods. */
const podless = new Set([
  "replicas",
  "suspend",
  "service",
  "networkPolicy",
  "podDisruptionBudget",
  "progressDeadlineSeconds",
]);
/** Written as in a pod, where their fields are known from. */
const asInPods = new Set(["affinity", "securityContext"]);

const root = new URL("../../", import.meta.url);
const crd = parse(await readFile(new URL("crds/kubearmorrelays.yaml", root), "utf8")) as Crd;
const schema = crd.spec.versions[0]?.schema.openAPIV3Schema;
const spec = schema?.properties?.["spec"];
const status = schema?.properties?.["status"];
if (schema === undefined || spec === undefined || status === undefined)
  throw new Error("The CRD has no spec or status");

const lines = [
  "<!-- Generated from crds/kubearmorrelays.yaml and operator/decide/reasons.ts by hack/generate/resource-doc.ts. Do not edit. -->",
  "",
  "# KubeArmorRelay",
  "",
  "`operator.kubearmor.com/v1alpha1`, namespaced, short name `kar`. Every field of spec is optional; `kubectl get -o yaml` shows all",
  "defaults. `kubectl scale` works.",
  "",
  "## spec",
  "",
  "Takes effect: **live** in the running pods, within seconds, with no restart and no stream reset; **at once** on other objects, the",
  "pods untouched; **rollout** by new pods, the old ones serving until the new ones do.",
  "",
  "| field | default | takes effect | meaning |",
  "|---|---|---|---|",
  ...rows(spec, "").map((row) => `| \`${row.path}\` | ${row.fallback} | ${effectOf(row.path)} | ${row.text} |`),
  "",
  "Rules, checked by the API server:",
  "",
  ...rulesOf(schema).map((rule) => `- ${rule}`),
  "",
  "## status",
  "",
  "| field | meaning |",
  "|---|---|",
  ...Object.entries(status.properties ?? {}).map(
    ([name, field]) => `| \`${name}\` | ${cell(field.description ?? "")} |`,
  ),
  "",
  `Condition types: ${conditionTypes.map((type) => `\`${type}\``).join(", ")}.`,
  "",
  "| reason | meaning |",
  "|---|---|",
  ...Object.entries(reasons).map(([reason, meaning]) => `| \`${reason}\` | ${cell(meaning)} |`),
];
const files = [{ path: new URL("docs/resource.md", root), text: `${lines.join("\n")}\n` }];
process.exitCode = await writeGenerated(files, process.argv.slice(2));

interface Row {
  readonly path: string;
  readonly fallback: string;
  readonly text: string;
}

/** Leaves, and maps and lists as a whole: what a user sets. */
function rows(object: Schema, prefix: string): readonly Row[] {
  return Object.entries(object.properties ?? {}).flatMap(([name, field]): readonly Row[] => {
    const path = `${prefix}${name}`;
    const isGroup = field.properties !== undefined && field.additionalProperties === undefined;
    if (isGroup && !hasOwnDefault(field) && !asInPods.has(path)) return rows(field, `${path}.`);
    const values =
      field.enum === undefined ? "" : ` One of ${field.enum.map((value) => `\`${String(value)}\``).join(", ")}.`;
    return [{ path, fallback: defaultText(field), text: `${cell(field.description ?? "")}${values}` }];
  });
}

function hasOwnDefault({ default: value }: Schema): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function defaultText({ default: value }: Schema): string {
  if (value === undefined || value === "") return "";
  return `\`${JSON.stringify(value)}\``;
}

function effectOf(path: string): string {
  if (live.some((known) => path === known || path.startsWith(`${known}.`))) return "live";
  const [first = ""] = path.split(".");
  return podless.has(first) ? "at once" : "rollout";
}

function rulesOf(object: Schema): readonly string[] {
  const own = (object["x-kubernetes-validations"] ?? []).flatMap(({ message }) =>
    message === undefined ? [] : [cell(message)],
  );
  const parts = [...Object.values(object.properties ?? {}), object.items, object.additionalProperties];
  return [...own, ...parts.flatMap((part) => (part === undefined ? [] : rulesOf(part)))];
}

function cell(text: string): string {
  return text.replaceAll("|", String.raw`\|`).replaceAll(/\s+/g, " ").trim();
}
