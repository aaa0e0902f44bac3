import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { type ControlPlane, startControlPlane } from "../../hack/testbed/control-plane.ts";
import { applyObjects } from "../../hack/testbed/kubectl.ts";
import { apiVersion, relayKind } from "../../operator/api/relay.ts";

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
}

const crdFile = join(import.meta.dirname, "../../crds/kubearmorrelays.yaml");
const crd = parse(await readFile(crdFile, "utf8")) as {
  readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[] };
};

let plane: ControlPlane;

before(async () => {
  plane = await startControlPlane({ crds: [crdFile] });
  const relays = {
    edge: { clusterName: "edge", suspend: true, service: { name: "edge" } },
    "kubearmor-relay": { stdout: { alerts: true, logs: true } },
    other: {},
  };
  const objects = Object.entries(relays).map(([name, spec]) => ({
    apiVersion,
    kind: relayKind,
    metadata: { namespace: "default", name },
    spec,
  }));
  await applyObjects(plane.kubectl, objects);
  await report("edge", { ...status, conditions: [condition("False", "Suspended")], version: "0.2.0", stdout: "none" });
  await report("kubearmor-relay", status);
});

after(() => plane[Symbol.asyncDispose]());

function condition(isReady: "True" | "False", reason: string): object {
  const lastTransitionTime = "2026-01-01T00:00:00Z";
  return { type: "Ready", status: isReady, reason, message: "", lastTransitionTime, observedGeneration: 1 };
}

const status = {
  observedGeneration: 1,
  conditions: [condition("True", "RelayReady")],
  replicas: 2,
  updatedReplicas: 2,
  readyReplicas: 2,
  selector: "kubearmor-app=kubearmor-relay",
  endpoint: "kubearmor.default.svc:32767",
  image: "registry.example.com/relay:0.1.0",
  stdout: "alerts,logs",
  version: "0.1.0",
  agents: { seen: 6, connected: 5 },
  loss: { dropped: 3, gaps: 1 },
  relays: [
    {
      pod: "kubearmor-relay-1",
      version: "0.1.0",
      settings: "0123456789abcdef",
      stdout: "alerts,logs",
      agents: { seen: 6, connected: 5 },
      loss: { dropped: 3, gaps: 1 },
      problem: "Agent on node-6 cannot be reached",
    },
  ],
};

async function report(name: string, to: object): Promise<void> {
  const patch = JSON.stringify({ status: to });
  await plane.kubectl(["patch", "kar", name, "--subresource=status", "--type=merge", "-p", patch]);
}

/** The lines that kubectl prints, the age as a word. */
async function table(...args: readonly string[]): Promise<string> {
  const text = await plane.kubectl(["get", ...args]);
  return text
    .replaceAll(/\b(\d+m)?\d+s\b */g, "AGE ")
    .replaceAll(/ +/g, " ")
    .replaceAll(/ $/gm, "")
    .trim();
}

const columns = `
NAME READY REASON REPLICAS AGENTS STDOUT VERSION AGE
edge False Suspended 2 5 none 0.2.0 AGE
kubearmor-relay True RelayReady 2 5 alerts,logs 0.1.0 AGE
other AGE
`;

const wideColumns = `
NAME READY REASON REPLICAS AGENTS STDOUT VERSION AGE IMAGE ENDPOINT
edge False Suspended 2 5 none 0.2.0 AGE registry.example.com/relay:0.1.0 kubearmor.default.svc:32767
kubearmor-relay True RelayReady 2 5 alerts,logs 0.1.0 AGE registry.example.com/relay:0.1.0 kubearmor.default.svc:32767
other AGE
`;

test("kubectl get prints whether a relay serves, and what", async () => {
  assert.equal(await table("kar"), columns.trim());
});

test("kubectl get -o wide prints image and endpoint as well", async () => {
  assert.equal(await table("kar", "-o", "wide"), wideColumns.trim());
});

test("kubectl get knows relays by all their names and their category", async () => {
  for (const name of ["kubearmorrelay", "kubearmorrelays", "kubearmorrelays.operator.kubearmor.com", "kubearmor"])
    assert.equal(await table(name), columns.trim(), name);
});

const selections: Readonly<Record<string, readonly string[]>> = {
  "spec.suspend=true": ["edge"],
  "spec.suspend=false": ["kubearmor-relay", "other"],
  "spec.clusterName=edge": ["edge"],
  "spec.service.name=kubearmor": ["kubearmor-relay", "other"],
  "spec.service.name!=kubearmor": ["edge"],
  "status.version=0.1.0": ["kubearmor-relay"],
  "spec.suspend=false,status.version=0.2.0": [],
};

for (const [selector, names] of Object.entries(selections)) {
  test(`the field selector ${selector} selects ${names.join(" and ") || "nothing"}`, async () => {
    const text = await plane.kubectl(["get", "kar", `--field-selector=${selector}`, "-o", "name"]);
    const found = text.split("\n").filter((line) => line !== "");
    assert.deepEqual(
      found,
      names.map((name) => `kubearmorrelay.operator.kubearmor.com/${name}`),
    );
  });
}

test("all of a status is stored as it is written", async () => {
  const relay = JSON.parse(await plane.kubectl(["get", "kar", "kubearmor-relay", "-o", "json"])) as {
    readonly status: unknown;
  };
  assert.deepEqual(relay.status, status);
});

/** Paths of fields without a description. */
function undescribed(
  { description, properties = {}, items, additionalProperties }: Schema,
  path: string,
): readonly string[] {
  const below = [
    // Of a list of texts, the list says it all.
    ...(items?.properties === undefined ? [] : undescribed(items, `${path}[]`)),
    ...(additionalProperties?.properties === undefined ? [] : undescribed(additionalProperties, `${path}{}`)),
    ...Object.entries(properties).flatMap(([name, child]) => undescribed(child, `${path}.${name}`)),
  ];
  return description === undefined ? [path, ...below] : below;
}

test("every field has a description", () => {
  const schema = crd.spec.versions[0]?.schema.openAPIV3Schema;
  assert.ok(schema !== undefined);
  // The server knows the object's metadata, and wants no description of it.
  assert.deepEqual(undescribed(schema, ""), [".metadata"]);
});

test("kubectl explain tells what every field is for", async () => {
  const whole = await plane.kubectl(["explain", "kar", "--recursive"]);
  for (const field of ["topologySpreadConstraints", "podAntiAffinity", "secretKeyRef", "loadBalancerClass", "settings"])
    assert.match(whole, new RegExp(`^ +${field}\t`, "m"));
  const one = await plane.kubectl(["explain", "kar.spec.env.valueFrom.secretKeyRef"]);
  assert.match(one, /A key of a Secret of this namespace\./);
  assert.match(one, /-required-/);
});
