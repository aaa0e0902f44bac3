import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { merge } from "./merge.ts";
import type { Fields } from "./fields.ts";
import { templateShape } from "./shape.ts";

const ours = `
metadata: { labels: { a: "1" }, annotations: { b: "2" } }
spec:
  terminationGracePeriodSeconds: 30
  securityContext: { runAsNonRoot: true, seccompProfile: { type: RuntimeDefault } }
  tolerations: [{ operator: Exists }]
  containers:
    - name: relay
      image: registry/relay:1
      args: [-a, -b]
      env: [{ name: POD, valueFrom: { fieldRef: { fieldPath: metadata.name } } }]
      ports: [{ name: grpc, containerPort: 32767, protocol: TCP }]
      livenessProbe: { httpGet: { path: /livez, port: http }, periodSeconds: 10 }
      volumeMounts: [{ name: settings, mountPath: /etc/relay, readOnly: true }]
  volumes: [{ name: settings, configMap: { name: relay } }]
`;

interface Case {
  readonly given: string;
  /** What is different then, as a JSON patch would say it: path and value; undefined = gone. */
  readonly changes: Readonly<Record<string, unknown>>;
  readonly overridden: readonly string[];
}

const cases: Readonly<Record<string, Case>> = {
  "nothing changes nothing": { given: "{}", changes: {}, overridden: [] },
  "what is the same already is no override": {
    given: "spec: { terminationGracePeriodSeconds: 30, tolerations: [{ operator: Exists }] }",
    changes: {},
    overridden: [],
  },
  "a field that we do not set is added": {
    given: "spec: { hostNetwork: true, securityContext: { fsGroup: 1 } }",
    changes: { "/spec/hostNetwork": true, "/spec/securityContext/fsGroup": 1 },
    overridden: [],
  },
  "a scalar of ours is replaced": {
    given: "spec: { containers: [{ name: relay, image: other }] }",
    changes: { "/spec/containers/0/image": "other" },
    overridden: [".spec.containers[relay].image"],
  },
  "a list without keys is replaced as a whole": {
    given: "spec: { tolerations: [{ key: a }], containers: [{ name: relay, args: [-c] }] }",
    changes: { "/spec/tolerations": [{ key: "a" }], "/spec/containers/0/args": ["-c"] },
    overridden: [".spec.tolerations", ".spec.containers[relay].args"],
  },
  "an item with another key comes after ours": {
    given: "spec: { containers: [{ name: sidecar, image: x }], volumes: [{ name: tmp, emptyDir: {} }] }",
    changes: {
      "/spec/containers/1": { name: "sidecar", image: "x" },
      "/spec/volumes/1": { name: "tmp", emptyDir: {} },
    },
    overridden: [],
  },
  "a list that we do not have is taken over": {
    given: "spec: { initContainers: [{ name: init }], hostAliases: [{ ip: 10.0.0.1, hostnames: [a] }] }",
    changes: {
      "/spec/initContainers": [{ name: "init" }],
      "/spec/hostAliases": [{ ip: "10.0.0.1", hostnames: ["a"] }],
    },
    overridden: [],
  },
  "null removes a field, a list and an entry of a map": {
    given:
      "{ metadata: { labels: { a: null } }, spec: { tolerations: null, securityContext: { runAsNonRoot: null } } }",
    changes: {
      "/metadata/labels/a": undefined,
      "/spec/tolerations": undefined,
      "/spec/securityContext/runAsNonRoot": undefined,
    },
    overridden: [".metadata.labels.a", ".spec.tolerations", ".spec.securityContext.runAsNonRoot"],
  },
  "null for what is not there is nothing": { given: "spec: { hostNetwork: null }", changes: {}, overridden: [] },
  "null in what is added does not get into it": {
    given: "spec: { dnsConfig: { options: [{ name: a }], searches: null } }",
    changes: { "/spec/dnsConfig": { options: [{ name: "a" }] } },
    overridden: [],
  },
  "$patch: delete removes an item by its key": {
    given: "spec: { containers: [{ name: relay, volumeMounts: [{ mountPath: /etc/relay, $patch: delete }] }] }",
    changes: { "/spec/containers/0/volumeMounts": [] },
    overridden: [".spec.containers[relay].volumeMounts[/etc/relay]"],
  },
  "$patch: delete removes an object": {
    given: "spec: { containers: [{ name: relay, livenessProbe: { $patch: delete } }] }",
    changes: { "/spec/containers/0/livenessProbe": undefined },
    overridden: [".spec.containers[relay].livenessProbe"],
  },
  "a volume of another kind takes the place of ours": {
    given: "spec: { volumes: [{ name: settings, secret: { secretName: s } }] }",
    changes: { "/spec/volumes/0": { name: "settings", secret: { secretName: "s" } } },
    overridden: [".spec.volumes[settings].configMap"],
  },
  "a variable's value takes the place of its source": {
    given: "spec: { containers: [{ name: relay, env: [{ name: POD, value: x }] }] }",
    changes: { "/spec/containers/0/env/0": { name: "POD", value: "x" } },
    overridden: [".spec.containers[relay].env[POD].valueFrom"],
  },
  "a probe of another kind keeps its timing": {
    given: "spec: { containers: [{ name: relay, livenessProbe: { grpc: { port: 1 } } }] }",
    changes: { "/spec/containers/0/livenessProbe": { periodSeconds: 10, grpc: { port: 1 } } },
    overridden: [".spec.containers[relay].livenessProbe.httpGet"],
  },
  "a port without a protocol is the one of TCP": {
    given:
      "spec: { containers: [{ name: relay, ports: [{ containerPort: 32767, hostPort: 1 }, { containerPort: 32767, protocol: UDP }] }] }",
    changes: {
      "/spec/containers/0/ports/0/hostPort": 1,
      "/spec/containers/0/ports/1": { containerPort: 32767, protocol: "UDP" },
    },
    overridden: [],
  },
  "names that every object inherits are names like others": {
    given: "{ constructor: { keys: [a] }, metadata: { labels: { toString: b } } }",
    changes: { "/constructor": { keys: ["a"] }, "/metadata/labels/toString": "b" },
    overridden: [],
  },
  "what cannot be merged changes nothing": {
    given: "spec: { containers: { relay: {} }, volumes: [{ emptyDir: {} }, 1], initContainers: [] }",
    changes: {},
    overridden: [],
  },
};

for (const [sentence, { given, changes, overridden }] of Object.entries(cases)) {
  test(`merge(): ${sentence}`, () => {
    const expected = parse(ours) as Record<string, unknown>;
    for (const [pointer, value] of Object.entries(changes)) set(expected, pointer.slice(1).split("/"), value);
    const merged = merge(parse(ours) as Fields, parse(given), templateShape);
    assert.deepEqual(merged.value, expected);
    assert.deepEqual(merged.overridden, overridden);
  });
}

function set(root: Record<string, unknown>, [name = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length > 0) set(root[name] as Record<string, unknown>, rest, value);
  else if (value === undefined) delete root[name];
  else root[name] = value;
}
