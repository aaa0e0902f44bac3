import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { asStored } from "./as-stored.ts";
import type { Fields } from "./fields.ts";

const cases: Readonly<Record<string, readonly [given: string, stored: string]>> = {
  "empty texts of tolerations go": [
    "tolerations: [{ key: '', operator: Exists, effect: '', value: null, tolerationSeconds: 0 }]",
    "tolerations: [{ operator: Exists, tolerationSeconds: 0 }]",
  ],
  "empty lists of an affinity go, an empty selector stays, and so do empty values of labels": [
    `affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: a, namespaces: [],
      namespaceSelector: {}, labelSelector: { matchLabels: { b: '' }, matchExpressions: [] } }] } }`,
    `affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: a,
      namespaceSelector: {}, labelSelector: { matchLabels: { b: '' } } }] } }`,
  ],
  "labels that match all are an empty selector": [
    "topologySpreadConstraints: [{ topologyKey: a, labelSelector: { matchLabels: {} } }]",
    "topologySpreadConstraints: [{ topologyKey: a, labelSelector: {} }]",
  ],
  "a field of the pod has the API's version": [
    "containers: [{ name: a, env: [{ name: A, valueFrom: { fieldRef: { apiVersion: '', fieldPath: spec.nodeName } } }] }]",
    "containers: [{ name: a, env: [{ name: A, valueFrom: { fieldRef: { apiVersion: v1, fieldPath: spec.nodeName } } }] }]",
  ],
  "a divisor is written as the server writes it, and 0 when there is none": [
    `initContainers: [{ name: a, env: [
      { name: A, valueFrom: { resourceFieldRef: { containerName: '', resource: limits.cpu } } },
      { name: B, valueFrom: { resourceFieldRef: { resource: limits.cpu, divisor: 1 } } },
      { name: Z, valueFrom: { resourceFieldRef: { resource: limits.cpu, divisor: 0 } } },
      { name: C, valueFrom: { resourceFieldRef: { resource: limits.memory, divisor: 1024Ki } } }] }]`,
    `initContainers: [{ name: a, env: [
      { name: A, valueFrom: { resourceFieldRef: { resource: limits.cpu, divisor: '0' } } },
      { name: B, valueFrom: { resourceFieldRef: { resource: limits.cpu, divisor: '1' } } },
      { name: Z, valueFrom: { resourceFieldRef: { resource: limits.cpu, divisor: '0' } } },
      { name: C, valueFrom: { resourceFieldRef: { resource: limits.memory, divisor: 1Mi } } }] }]`,
  ],
  "a divisor that the server refuses is left to it": [
    "containers: [{ name: a, env: [{ name: A, valueFrom: { resourceFieldRef: { divisor: 7 } } }] }]",
    "containers: [{ name: a, env: [{ name: A, valueFrom: { resourceFieldRef: { divisor: 7 } } }] }]",
  ],
  "fields in files are as those in variables": [
    `volumes: [{ name: a, downwardAPI: { items: [{ path: b, fieldRef: { fieldPath: c } }] } },
      { name: d, projected: { sources: [{ downwardAPI: { items: [{ path: b, fieldRef: { fieldPath: c } }] } },
        { serviceAccountToken: { path: t } }, { configMap: { name: e, items: [] } }] } }]`,
    `volumes: [{ name: a, downwardAPI: { items: [{ path: b, fieldRef: { apiVersion: v1, fieldPath: c } }] } },
      { name: d, projected: { sources: [{ downwardAPI: { items: [{ path: b, fieldRef: { apiVersion: v1, fieldPath: c } }] } },
        { serviceAccountToken: { expirationSeconds: 3600, path: t } }, { configMap: { name: e } }] } }]`,
  ],
  "the selector of a claim has no empty lists, its class may be empty": [
    `volumes: [{ name: a, ephemeral: { volumeClaimTemplate: { spec: { storageClassName: '',
      selector: { matchLabels: {}, matchExpressions: [{ key: a, operator: Exists, values: [] }] } } } } }]`,
    `volumes: [{ name: a, ephemeral: { volumeClaimTemplate: { spec: { storageClassName: '',
      selector: { matchExpressions: [{ key: a, operator: Exists }] } } } } }]`,
  ],
  "a projection of nothing has no sources, which the server would write as null": [
    "volumes: [{ name: a, projected: { defaultMode: 0, sources: [] } }, { name: b, projected: { sources: [] } }]",
    "volumes: [{ name: a, projected: { defaultMode: 0 } }, { name: b, projected: { defaultMode: 420 } }]",
  ],
  "what is said of a token's life stays": [
    "volumes: [{ name: a, projected: { sources: [{ serviceAccountToken: { expirationSeconds: 600, path: t } }] } }]",
    "volumes: [{ name: a, projected: { sources: [{ serviceAccountToken: { expirationSeconds: 600, path: t } }] } }]",
  ],
  "an empty volume is one, and other empty fields are left alone": [
    "{ volumes: [{ name: a, emptyDir: {} }], containers: [{ name: a, args: [''], env: [{ name: B, value: '' }] }] }",
    "{ volumes: [{ name: a, emptyDir: {} }], containers: [{ name: a, args: [''], env: [{ name: B, value: '' }] }] }",
  ],
  "empty texts of sources of variables go, and so do nulls in lists": [
    `{ containers: [{ name: a, envFrom: [{ prefix: '', configMapRef: { name: b }, secretRef: null }] }],
      initContainers: [{ name: a, envFrom: [{ prefix: P_, secretRef: { name: b, optional: false } }] }],
      dnsConfig: { options: [{ name: ndots, value: null }, { name: edns0, value: '' }] },
      volumes: [{ name: a, configMap: { name: b, items: [{ key: c, path: d, mode: null }] } }] }`,
    `{ containers: [{ name: a, envFrom: [{ configMapRef: { name: b } }] }],
      initContainers: [{ name: a, envFrom: [{ prefix: P_, secretRef: { name: b, optional: false } }] }],
      dnsConfig: { options: [{ name: ndots }, { name: edns0, value: '' }] },
      volumes: [{ name: a, configMap: { name: b, items: [{ key: c, path: d }] } }] }`,
  ],
  "the path of a request is not empty, its headers may be": [
    `containers: [{ name: a, livenessProbe: { httpGet: { path: '', port: 1, scheme: '', httpHeaders: [{ name: b }] } },
      readinessProbe: { httpGet: { path: '' } }, startupProbe: { httpGet: { path: '' } },
      lifecycle: { preStop: { httpGet: { path: '' } }, postStart: { httpGet: { httpHeaders: [{ name: b, value: c }] } } } }]`,
    `containers: [{ name: a, livenessProbe: { httpGet: { port: 1, httpHeaders: [{ name: b, value: '' }] } },
      readinessProbe: { httpGet: {} }, startupProbe: { httpGet: {} },
      lifecycle: { preStop: { httpGet: {} }, postStart: { httpGet: { httpHeaders: [{ name: b, value: c }] } } } }]`,
  ],
  "where the server has a default, an empty text is none": [
    `{ dnsPolicy: '', restartPolicy: '', schedulerName: '', hostname: '', containers: [{ name: a, imagePullPolicy: '',
      terminationMessagePath: '', terminationMessagePolicy: '' }] }`,
    "{ hostname: '', containers: [{ name: a }] }",
  ],
  "what has another shape is left to the server": [
    "{ affinity: 1, tolerations: {}, containers: [b, { name: c, env: 2 }], volumes: [{ name: d, projected: [] }] }",
    "{ affinity: 1, tolerations: {}, containers: [b, { name: c, env: 2 }], volumes: [{ name: d, projected: [] }] }",
  ],
};

for (const [sentence, [given, stored]] of Object.entries(cases)) {
  test(`asStored(): ${sentence}`, () => {
    const spec = parse(stored) as Fields;
    assert.deepEqual(asStored({ spec: parse(given) as Fields }), { spec });
    assert.deepEqual(asStored({ spec }), { spec });
  });
}
