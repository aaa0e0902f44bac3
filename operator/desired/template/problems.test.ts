import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { relayOf } from "../../testing/samples.ts";
import { templateProblems } from "./problems.ts";

const own = "kubearmor-relay-server";

const fine: Readonly<Record<string, string>> = {
  "nothing at all": "{}",
  "metadata alone": "metadata: { labels: { team: a }, annotations: { b: c } }",
  "a sidecar, without a word about our own container": "spec: { containers: [{ name: sidecar }] }",
  "what is removed":
    "spec: { tolerations: null, volumes: [{ name: a, $patch: delete }], hostAliases: { $patch: delete } }",
  "one port with two protocols":
    "spec: { containers: [{ name: a, ports: [{ containerPort: 1 }, { containerPort: 1, protocol: UDP }] }] }",
  "one place with two ways to be unsatisfiable":
    "spec: { topologySpreadConstraints: [{ topologyKey: a, whenUnsatisfiable: A }, { topologyKey: a, whenUnsatisfiable: B }] }",
  "another account, and none by the old name": "spec: { serviceAccountName: other, serviceAccount: null }",
  "fields that we know nothing of": "spec: { future: [{ a: 1 }, { a: 1 }, 2] }",
};

for (const [sentence, text] of Object.entries(fine)) {
  test(`templateProblems() takes ${sentence}`, () => assert.deepEqual(problemsOf(text), []));
}

const refused: Readonly<Record<string, readonly [text: string, ...problems: string[]]>> = {
  "labels of the selector and of the operator": [
    "metadata: { labels: { kubearmor-app: a, operator.kubearmor.com/relay: b, app.kubernetes.io/name: c, team: d } }",
    ".metadata.labels: the label kubearmor-app belongs to the operator",
    ".metadata.labels: the label operator.kubearmor.com/relay belongs to the operator",
    ".metadata.labels: the label app.kubernetes.io/name belongs to the operator",
  ],
  "to remove the relay's container": [
    `spec: { containers: [{ name: ${own}, $patch: delete }] }`,
    ".spec.containers: the container kubearmor-relay-server cannot be removed",
  ],
  "to remove all containers": [
    "spec: { containers: null }",
    ".spec.containers: the container kubearmor-relay-server cannot be removed",
  ],
  "the old name of the account, which the server passes over": [
    "spec: { serviceAccount: other }",
    ".spec.serviceAccount: this is the old name of serviceAccountName, use that",
  ],
  "a container without a name": [
    "spec: { containers: [{ image: a }, { name: b }] }",
    ".spec.containers[0]: must be an object with name",
  ],
  "items that are no objects": [
    "spec: { volumes: [a, null, [b]] }",
    ...[0, 1, 2].map((index) => `.spec.volumes[${index}]: must be an object with name`),
  ],
  "an object where a list belongs": [
    "spec: { containers: [{ name: a, env: { B: c } }] }",
    ".spec.containers[a].env: must be a list",
  ],
  "a value where an object belongs": [
    "spec: { containers: [{ name: a, livenessProbe: [], lifecycle: b }] }",
    ".spec.containers[a].livenessProbe: must be an object",
    ".spec.containers[a].lifecycle: must be an object",
  ],
  "a constraint without half of its key": [
    "spec: { topologySpreadConstraints: [{ topologyKey: a }] }",
    ".spec.topologySpreadConstraints[0]: must be an object with topologyKey and whenUnsatisfiable",
  ],
  "keys that are there twice, however deep": [
    "spec: { containers: [{ name: a, env: [{ name: B }, { name: B }] }, { name: a, volumeMounts: [{ mountPath: /c }, { mountPath: /c }] }] }",
    ".spec.containers[a].env[B]: is there twice",
    ".spec.containers[a]: is there twice",
    ".spec.containers[a].volumeMounts[/c]: is there twice",
  ],
  "the same port twice, as TCP is what it is without a protocol": [
    "spec: { initContainers: [{ name: a, ports: [{ containerPort: 1 }, { containerPort: 1, protocol: TCP }] }] }",
    ".spec.initContainers[a].ports[1/TCP]: is there twice",
  ],
  "other directives of kubectl": [
    "spec: { $patch: replace, volumes: [{ name: a, $retainKeys: [b] }] }",
    '.spec: $patch: "replace" is not known; $patch: delete is',
    '.spec.volumes[a]: $retainKeys: ["b"] is not known; $patch: delete is',
  ],
};

for (const [sentence, [text, ...problems]] of Object.entries(refused)) {
  test(`templateProblems() refuses ${sentence}`, () =>
    assert.deepEqual(
      problemsOf(text),
      problems.map((problem) => `spec.podTemplate${problem}`),
    ));
}

function problemsOf(text: string): readonly string[] {
  return templateProblems(relayOf({ podTemplate: parse(text) as Readonly<Record<string, never>> }));
}
