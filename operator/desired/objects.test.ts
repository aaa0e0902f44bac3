import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { stringify } from "yaml";
import type { KubeArmorRelay } from "../api/types.gen.ts";
import { relayOf } from "../testing/samples.ts";
import { desiredObjects } from "./objects.ts";

const options = { defaultImage: "registry/relay:default" };

const specs: Readonly<Record<string, KubeArmorRelay["spec"]>> = {
  default: {},
  everything: {
    image: "registry/relay:1",
    imagePullPolicy: "Always",
    imagePullSecrets: [{ name: "pull" }],
    replicas: 1,
    stdout: { alerts: true, logs: false, messages: true },
    service: {
      name: "events",
      type: "LoadBalancer",
      port: 443,
      nodePort: 30443,
      annotations: { "cloud/internal": "true" },
    },
    agents: {
      namespaces: ["kubearmor", "edge"],
      selector: { matchLabels: { tier: "node", "kubearmor-app": "kubearmor" } },
      port: 32768,
      endpoints: ["vm-2:32767", "[2001:db8::1]:32767"],
    },
    resources: { requests: { cpu: 1 }, limits: { cpu: "2", memory: "1Gi" } },
    nodeSelector: { pool: "infra" },
    tolerations: [
      { operator: "Exists" },
      { key: "dedicated", operator: "Equal", value: "", effect: "NoExecute", tolerationSeconds: 0 },
    ],
    priorityClassName: "system-cluster-critical",
    podLabels: { team: "security" },
    podAnnotations: { "example.com/a": "b" },
  },
};

for (const [name, spec] of Object.entries(specs)) {
  for (const { object } of desiredObjects(relayOf(spec), options)) {
    test(`desiredObjects(): ${object.kind} of the ${name} relay is golden/${name}/${object.kind}.yaml`, async () => {
      const folder = new URL(`golden/${name}/`, import.meta.url);
      const file = new URL(`${object.kind}.yaml`, folder);
      const text = stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });
      if (process.env["UPDATE_GOLDEN"] === "1") {
        await mkdir(folder, { recursive: true });
        await writeFile(file, text);
      }
      assert.equal(text, await readFile(file, "utf8"));
    });
  }
}

test("desiredObjects(): stdout changes the ConfigMap and nothing else", () => {
  const stream = fc.record(
    { alerts: fc.boolean(), logs: fc.boolean(), messages: fc.boolean() },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(stream, stream, (before, after) => {
      const pairs = desiredObjects(relayOf({ stdout: before }), options).map(
        (desired, index) => [desired, desiredObjects(relayOf({ stdout: after }), options)[index]] as const,
      );
      for (const [one, other] of pairs) {
        const isSame = isDeepStrictEqual(one, other);
        assert.equal(isSame, one.object.kind !== "ConfigMap" || isDeepStrictEqual(before, after), one.object.kind);
      }
    }),
  );
});

test("desiredObjects(): labels and annotations of the relay are on no object", () => {
  const theirs = {
    "argocd.argoproj.io/tracking-id": "app:operator.kubearmor.com/KubeArmorRelay:kubearmor/kubearmor-relay",
    "app.kubernetes.io/instance": "app",
    "kubectl.kubernetes.io/last-applied-configuration": "{}",
    "kustomize.toolkit.fluxcd.io/name": "app",
    "helm.sh/chart": "chart",
    "meta.helm.sh/release-name": "release",
  };
  const { metadata } = relayOf();
  const relay = relayOf({}, { metadata: { ...metadata, labels: theirs, annotations: theirs } });
  const text = JSON.stringify(desiredObjects(relay, options));
  for (const key of Object.keys(theirs)) assert.ok(!text.includes(key), key);
});

test("desiredObjects(): only the Service, the Deployment and its pods carry the label that clients look for", () => {
  const found = desiredObjects(relayOf(), options)
    .filter(({ object }) => object.metadata.labels?.["kubearmor-app"] !== undefined)
    .map(({ object }) => object.kind);
  assert.deepEqual(found, ["Service", "Deployment"]);
});
