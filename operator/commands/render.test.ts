import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "../../lib/kube/types.ts";
import { readRelays } from "./read-relays.ts";
import { render } from "./render.ts";

const relay = `apiVersion: operator.kubearmor.com/v1alpha1
kind: KubeArmorRelay
metadata: { name: relay }
`;

function errorsOf(text: string): readonly string[] {
  const read = readRelays(text);
  return read.kind === "invalid" ? read.errors : [];
}

test("readRelays() takes relays of several documents, in the default namespace unless they name one", () => {
  const namespace = "apiVersion: v1\nkind: Namespace\nmetadata: { name: a }\n";
  const read = readRelays([namespace, relay, relay.replace("name: relay", "name: b, namespace: a")].join("---\n"));
  assert.ok(read.kind === "read");
  assert.deepEqual(
    read.relays.map(({ metadata }) => [metadata.namespace, metadata.name]),
    [
      ["default", "relay"],
      ["a", "b"],
    ],
  );
});

const mistakes: Readonly<Record<string, readonly [text: string, message: RegExp]>> = {
  "no relay": ["apiVersion: v1\nkind: Namespace\n", /There is no KubeArmorRelay/],
  "no YAML": ["a: [", /./],
  "a spec that contradicts itself": [
    `${relay}spec: { service: { nodePort: 1 } }\n`,
    /^KubeArmorRelay relay: spec\.service\.nodePort/,
  ],
  "a name that cannot be one": [relay.replace("name: relay", "name: a.b"), /metadata\.name must be/],
};

for (const [sentence, [text, message]] of Object.entries(mistakes)) {
  test(`readRelays() refuses ${sentence}`, () => assert.match(errorsOf(text).join("\n"), message));
}

test("readRelays() warns of what an earlier CRD allowed, and of overrides by podTemplate: both are acted upon", () => {
  const spec =
    "{ limits: { maxSubscribers: 10000 }, podTemplate: { spec: { hostNetwork: true, securityContext: null } } }";
  const read = readRelays(`${relay}spec: ${spec}\n`);
  assert.ok(read.kind === "read", JSON.stringify(read));
  assert.equal(read.relays.length, 1);
  assert.match(read.warnings.join("\n"), /^KubeArmorRelay relay: spec\.limits\.maxSubscribers: .*\n/);
  assert.match(read.warnings.join("\n"), /^KubeArmorRelay relay: spec\.podTemplate: overrides /m);
});

test("render() prints every object, and nothing that only a cluster can know", () => {
  const read = readRelays(relay);
  assert.ok(read.kind === "read");
  const text = render(read.relays, { defaultImage: "registry/relay:1" });
  const objects = parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
  assert.deepEqual(
    objects.map(({ kind }) => kind),
    [
      "ServiceAccount",
      "Role",
      "RoleBinding",
      "ClusterRole",
      "ClusterRoleBinding",
      "ConfigMap",
      "Service",
      "Service",
      "Deployment",
    ],
  );
  assert.match(text, /image: registry\/relay:1/);
  assert.doesNotMatch(text, /ownerReferences|owner-uid/);
});

const everyKnob = `${relay}spec:
  service: { type: LoadBalancer, loadBalancerClass: "yes", annotations: { "cloud/internal": "on" } }
  replicas: 2
  podDisruptionBudget: { maxUnavailable: 50% }
  env: [{ name: ANSWER, value: "no" }, { name: NUMBER, value: "012" }]
  securityContext: { runAsUser: 1000 }
  podTemplate:
    metadata: { annotations: { example.com/inject: "true" } }
    spec:
      containers:
        - { name: kubearmor-relay-server, image: registry/relay:patched, livenessProbe: { $patch: delete } }
        - { name: sidecar, image: registry/sidecar:1, args: ["y", "1e3"] }
      volumes: [{ name: settings, configMap: { name: other } }, { name: tmp, emptyDir: {} }]
`;

function rendered(text: string): string {
  const read = readRelays(text);
  assert.ok(read.kind === "read", JSON.stringify(read));
  return render(read.relays, { defaultImage: "registry/relay:1" });
}

test("render() of a relay with a podTemplate is golden/pod-template.yaml", async () => {
  const file = new URL("golden/pod-template.yaml", import.meta.url);
  const text = rendered(everyKnob);
  if (process.env["UPDATE_GOLDEN"] === "1") await writeFile(file, text);
  assert.equal(text, await readFile(file, "utf8"));
});

test("render() means the same to a reader of YAML 1.1, as kubectl is one", () => {
  const text = rendered(everyKnob);
  const [old, current] = (["1.1", "1.2"] as const).map((version) =>
    parseAllDocuments(text, { version }).map((document) => document.toJS() as unknown),
  );
  assert.deepEqual(old, current);
});
