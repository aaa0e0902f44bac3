import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "../../lib/kube/types.ts";
import { relaySchema } from "../api/schema.gen.ts";
import type { KubeArmorRelay } from "../api/types.gen.ts";
import { relayOf } from "../testing/samples.ts";
import { desiredObjects } from "./objects.ts";

type Spec = KubeArmorRelay["spec"];

/** How a change of a field takes effect, in the words of the docs. */
type Effect = "live" | "at once" | "rollout";

/** A relay that has a part of every kind. */
const base: Spec = { replicas: 2, networkPolicy: { enabled: true }, service: { type: "LoadBalancer" } };

/** A change of each field, from the base. */
const changes: Readonly<Record<string, Spec>> = {
  image: { image: "a" },
  imagePullPolicy: { imagePullPolicy: "Always" },
  imagePullSecrets: { imagePullSecrets: [{ name: "a" }] },
  replicas: { replicas: 3 },
  suspend: { suspend: true },
  clusterName: { clusterName: "a" },
  "stdout.alerts": { stdout: { alerts: true } },
  "stdout.logs": { stdout: { logs: true } },
  "stdout.messages": { stdout: { messages: true } },
  "service.name": { service: { name: "a" } },
  "service.type": { service: { type: "ClusterIP" } },
  "service.port": { service: { port: 1 } },
  "service.nodePort": { service: { type: "LoadBalancer", nodePort: 30_000 } },
  "service.annotations": { service: { annotations: { a: "b" } } },
  "service.ipFamilyPolicy": { service: { ipFamilyPolicy: "SingleStack" } },
  "service.ipFamilies": { service: { ipFamilies: ["IPv6"] } },
  "service.loadBalancerClass": { service: { loadBalancerClass: "a" } },
  "service.loadBalancerSourceRanges": { service: { loadBalancerSourceRanges: ["10.0.0.0/8"] } },
  "service.externalTrafficPolicy": { service: { type: "LoadBalancer", externalTrafficPolicy: "Local" } },
  "service.internalTrafficPolicy": { service: { internalTrafficPolicy: "Local" } },
  "podDisruptionBudget.enabled": { podDisruptionBudget: { enabled: false } },
  "podDisruptionBudget.maxUnavailable": { podDisruptionBudget: { maxUnavailable: 2 } },
  "networkPolicy.enabled": { networkPolicy: { enabled: false } },
  "networkPolicy.from": { networkPolicy: { enabled: true, from: [{ podLabels: { a: "b" } }] } },
  "agents.namespaces": { agents: { namespaces: ["a"] } },
  "agents.selector": { agents: { selector: { matchLabels: { a: "b" } } } },
  "agents.port": { agents: { port: 1 } },
  "agents.endpoints": { agents: { endpoints: ["a:1"] } },
  "enrichment.remoteHost": { enrichment: { remoteHost: false } },
  "limits.maxSubscribers": { limits: { maxSubscribers: 1 } },
  "limits.mailboxBytes": { limits: { mailboxBytes: "1Mi" } },
  "limits.bufferBytes": { limits: { bufferBytes: "16Mi" } },
  logLevel: { logLevel: "debug" },
  env: { env: [{ name: "A", value: "b" }] },
  resources: { resources: { requests: { cpu: 1 } } },
  nodeSelector: { nodeSelector: { a: "b" } },
  affinity: { affinity: { podAffinity: {} } },
  tolerations: { tolerations: [{ operator: "Exists" }] },
  topologySpreadConstraints: { topologySpreadConstraints: [] },
  priorityClassName: { priorityClassName: "a" },
  podLabels: { podLabels: { a: "b" } },
  podAnnotations: { podAnnotations: { a: "b" } },
  securityContext: { securityContext: { runAsUser: 1 } },
  terminationGracePeriodSeconds: { terminationGracePeriodSeconds: 1 },
  progressDeadlineSeconds: { progressDeadlineSeconds: 1 },
  podTemplate: { podTemplate: { spec: { hostNetwork: true } } },
};

/** Fields of spec, those below a group one by one. */
function fieldsOfSpec(): readonly string[] {
  const groups = new Set(Object.keys(changes).flatMap((field) => (field.includes(".") ? [field.split(".")[0]] : [])));
  const { properties = {} } = relaySchema.properties?.["spec"] ?? {};
  return Object.entries(properties).flatMap(([name, { properties: below = {} }]) =>
    groups.has(name) ? Object.keys(below).map((field) => `${name}.${field}`) : [name],
  );
}

function objectsOf(spec: Spec): readonly KubeObject[] {
  return desiredObjects(relayOf({ ...base, ...spec }), { defaultImage: "default" }).map(({ object }) => object);
}

function templateOf(objects: readonly KubeObject[]): unknown {
  const deployment = objects.find(({ kind }) => kind === "Deployment");
  return (deployment?.["spec"] as { readonly template?: unknown } | undefined)?.template;
}

function effectOf(field: string): Effect {
  const earlier = objectsOf({});
  const changed = objectsOf(changes[field] ?? {}).filter(
    (object) => !earlier.some((each) => isDeepStrictEqual(object, each)),
  );
  const template = templateOf(changed);
  if (template !== undefined && !isDeepStrictEqual(template, templateOf(earlier))) return "rollout";
  return changed.some(({ kind }) => kind === "ConfigMap") ? "live" : "at once";
}

/** `group.*` where all fields of a group take effect in one way. */
function shortened(fields: readonly string[], all: readonly string[]): readonly string[] {
  const names = fields.map((field) => {
    const [group = ""] = field.split(".");
    const isWhole = all.every((each) => !each.startsWith(`${group}.`) || fields.includes(each));
    return field.includes(".") && isWhole ? `${group}.*` : field;
  });
  return [...new Set(names)];
}

const fields = fieldsOfSpec();
const effects: Readonly<Record<Effect, string>> = {
  live: "**live**: the running pods take it up within seconds, without a restart or a stream that is reset",
  "at once": "**at once**: other objects change, and no pod is touched",
  rollout: "**rollout**: new pods, and the old ones serve until the new ones do",
};

test("every field of spec has a change to be tried, and no other has", () => {
  assert.deepEqual(Object.keys(changes).toSorted(), fields.toSorted());
});

test("docs/operator.md: how a change of each field takes effect is what the code does", async () => {
  const rows = Object.entries(effects).map(([effect, text]) => {
    const names = shortened(
      fields.filter((field) => effectOf(field) === effect),
      fields,
    );
    return `| ${text} | ${names.map((name) => `\`${name}\``).join(", ")} |\n`;
  });
  const docs = await readFile(new URL("../../docs/operator.md", import.meta.url), "utf8");
  const table = /\| a change of it takes effect [^\n]*\n[^\n]*\n((?:\|[^\n]*\n)+)/.exec(docs)?.[1];
  assert.equal(table, rows.join(""));
});

test("docs/resource.md: how a change of each field takes effect is what the code does", async () => {
  const docs = await readFile(new URL("../../docs/resource.md", import.meta.url), "utf8");
  const rows = [...docs.matchAll(/^\| `([^`]+)` \|[^|]*\| (live|at once|rollout) \|/gm)];
  const told = rows.map(([, name = "", effect]) => {
    const field = fields.find((each) => name === each || name.startsWith(`${each}.`)) ?? name;
    return [field, effect] as const;
  });
  assert.deepEqual(Object.fromEntries(told), Object.fromEntries(fields.map((field) => [field, effectOf(field)])));
});

test("spec.replicas: between one and several the pods change, too, as several take turns by a Lease", () => {
  const [one, two, three] = [1, 2, 3].map((replicas) => templateOf(objectsOf({ replicas })));
  assert.notDeepEqual(one, two);
  assert.deepEqual(two, three);
});
