import fc from "fast-check";

const own = "kubearmor-relay-server";

/** Absent, empty or something: in every field the server has another idea of what that is. */
function optionalFields(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>) {
  return fc.record(fields, { requiredKeys: [], noNullPrototype: true });
}

const word = fc.constantFrom("a", "b", "c");
const text = fc.constantFrom("", "a", "b");
const labels = fc.dictionary(word, text, { maxKeys: 2, noNullPrototype: true });
const expression = fc.oneof(
  fc.record({ key: word, operator: fc.constantFrom("Exists", "DoesNotExist"), values: fc.constant([]) }),
  fc.record({ key: word, operator: fc.constantFrom("In", "NotIn"), values: fc.constant(["", "a"]) }),
);
const selector = optionalFields({ matchLabels: labels, matchExpressions: fc.array(expression, { maxLength: 2 }) });
const podTerm = fc.record(
  {
    topologyKey: word,
    labelSelector: selector,
    namespaceSelector: selector,
    namespaces: fc.uniqueArray(word, { maxLength: 2 }),
    matchLabelKeys: fc.constant([]),
  },
  { requiredKeys: ["topologyKey"] },
);
const nodeTerm = optionalFields({
  matchExpressions: fc.array(expression, { maxLength: 2 }),
  matchFields: fc.constant([]),
});
const podTerms = optionalFields({
  requiredDuringSchedulingIgnoredDuringExecution: fc.array(podTerm, { maxLength: 2 }),
  preferredDuringSchedulingIgnoredDuringExecution: fc.array(
    fc.record({ weight: fc.constantFrom(1, 100), podAffinityTerm: podTerm }),
    { maxLength: 2 },
  ),
});
const affinity = optionalFields({
  nodeAffinity: optionalFields({
    requiredDuringSchedulingIgnoredDuringExecution: fc.record({
      nodeSelectorTerms: fc.array(nodeTerm, { minLength: 1, maxLength: 2 }),
    }),
    preferredDuringSchedulingIgnoredDuringExecution: fc.array(
      fc.record({ weight: fc.constantFrom(1, 100), preference: nodeTerm }),
      { maxLength: 2 },
    ),
  }),
  podAffinity: podTerms,
  podAntiAffinity: podTerms,
});
const toleration = optionalFields({
  key: word,
  operator: fc.constantFrom("Exists", ""),
  value: fc.constant(""),
  effect: fc.constantFrom("", "NoExecute"),
});
const fieldRef = fc.record(
  { fieldPath: fc.constantFrom("metadata.name", "metadata.labels['a']"), apiVersion: fc.constantFrom("v1", "", null) },
  { requiredKeys: ["fieldPath"] },
);
const resourceFieldRef = fc.record(
  {
    resource: fc.constantFrom("limits.memory", "requests.memory"),
    divisor: fc.constantFrom("1", 1, "0", 0, "1Mi", "1024Ki", "1000", "1M"),
    containerName: fc.constant(own),
  },
  { requiredKeys: ["resource", "containerName"] },
);
const keyRef = fc.record({ name: word, key: word, optional: fc.boolean() }, { requiredKeys: ["name", "key"] });
const valueFrom = fc.oneof(
  fc.record({ fieldRef }),
  fc.record({ resourceFieldRef }),
  fc.record({ configMapKeyRef: keyRef }),
  fc.record({ secretKeyRef: keyRef }),
);
const variable = fc.oneof(
  fc.record({ name: word, value: text }, { requiredKeys: ["name"] }),
  fc.record({ name: word, valueFrom }),
);
const fileItem = fc.record(
  { key: word, path: word, mode: fc.constantFrom(0, 0o400, null) },
  { requiredKeys: ["key", "path"] },
);
const files = fc.uniqueArray(fileItem, { selector: ({ path }) => path, maxLength: 2 });
const fieldFile = fc.oneof(fc.record({ path: word, fieldRef }), fc.record({ path: word, resourceFieldRef }));
const fieldFiles = fc.uniqueArray(fieldFile, { selector: ({ path }) => path, maxLength: 2 });
const source = fc.oneof(
  fc.record({
    serviceAccountToken: fc.record(
      { path: word, audience: text, expirationSeconds: fc.constantFrom(600, 3600) },
      { requiredKeys: ["path"] },
    ),
  }),
  fc.record({ configMap: fc.record({ name: word, items: files, optional: fc.boolean() }, { requiredKeys: ["name"] }) }),
  fc.record({ secret: fc.record({ name: word, items: files, optional: fc.boolean() }, { requiredKeys: ["name"] }) }),
  fc.record({ downwardAPI: fc.record({ items: fieldFiles }) }),
);
const volume = fc.oneof(
  fc.record({
    name: word,
    emptyDir: optionalFields({
      medium: fc.constantFrom("", "Memory"),
      sizeLimit: fc.constantFrom("1024Ki", 1024, "0"),
    }),
  }),
  fc.record({ name: word, projected: fc.record({ sources: fc.array(source, { maxLength: 3 }) }) }),
  fc.record({ name: word, downwardAPI: optionalFields({ items: fieldFiles, defaultMode: fc.constant(0o400) }) }),
  fc.record({
    name: word,
    ephemeral: fc.record({
      volumeClaimTemplate: fc.record({
        spec: fc.record(
          {
            accessModes: fc.constant(["ReadWriteOnce"]),
            resources: fc.constant({ requests: { storage: "1024Mi" } }),
            storageClassName: text,
            selector,
          },
          { requiredKeys: ["accessModes", "resources"], noNullPrototype: true },
        ),
      }),
    }),
  }),
  fc.record({ name: word, secret: fc.record({ secretName: word, items: files }) }),
  fc.record({ name: word, configMap: fc.record({ name: word, items: files, optional: fc.boolean() }) }),
);
const envSource = fc.oneof(
  optionalFields({ prefix: text, configMapRef: fc.constant({ name: "a" }), secretRef: fc.constant(null) }),
  optionalFields({ prefix: fc.constantFrom("", null, "P_"), secretRef: fc.constant({ name: "a", optional: false }) }),
);
const header = fc.record(
  { name: word, value: fc.constantFrom("", "a", null) },
  { requiredKeys: ["name"], noNullPrototype: true },
);
const httpGet = fc.record(
  {
    port: fc.constantFrom("http", 8080),
    path: fc.constantFrom("", "/", "/a", null),
    scheme: fc.constantFrom("", "HTTP", null),
    host: text,
    httpHeaders: fc.array(header, { maxLength: 2 }),
  },
  { requiredKeys: ["port"], noNullPrototype: true },
);
const probe = fc.record({ httpGet });
const container = optionalFields({
  envFrom: fc.array(envSource, { maxLength: 2 }),
  livenessProbe: probe,
  readinessProbe: probe,
  lifecycle: optionalFields({ preStop: probe, postStart: probe }),
  imagePullPolicy: fc.constantFrom("", null, "Always"),
  terminationMessagePath: text,
  terminationMessagePolicy: fc.constantFrom("", "File"),
  workingDir: text,
  args: fc.array(text, { maxLength: 2 }),
});
const podSpec = optionalFields({
  affinity,
  tolerations: fc.array(toleration, { maxLength: 2 }),
  topologySpreadConstraints: fc.array(
    fc.record({
      maxSkew: fc.constant(1),
      topologyKey: fc.constantFrom("a", "b"),
      whenUnsatisfiable: fc.constant("ScheduleAnyway"),
      labelSelector: selector,
    }),
    { maxLength: 1 },
  ),
  containers: fc
    .tuple(fc.uniqueArray(variable, { selector: ({ name }) => name, maxLength: 3 }), container)
    .map(([env, rest]) => [
      { ...rest, name: own, env, resources: { requests: { cpu: "1000m" }, limits: { cpu: 1, memory: "1024Mi" } } },
    ]),
  volumes: fc.uniqueArray(volume, { selector: ({ name }) => name, maxLength: 3 }),
  nodeSelector: labels,
  hostAliases: fc.constantFrom([], [{ ip: "10.0.0.1", hostnames: ["a"] }]),
  dnsConfig: optionalFields({
    searches: fc.constant([]),
    options: fc.constant([{ name: "a" }, { name: "b", value: "" }, { name: "c", value: null }]),
  }),
  dnsPolicy: fc.constantFrom("", "Default", null),
  restartPolicy: fc.constantFrom("", "Always"),
  schedulerName: text,
  hostname: text,
  subdomain: text,
  serviceAccountName: fc.constantFrom("", "a", null),
  overhead: fc.constantFrom({ cpu: "1000m" }, { memory: 1024 }, null),
  imagePullSecrets: fc.constantFrom([], [{ name: "a" }]),
  hostNetwork: fc.boolean(),
  shareProcessNamespace: fc.boolean(),
});

/** Specs of pod templates, most of which the server takes, as they come from it: plain objects. */
export const anyPodSpec = podSpec.map((spec) => JSON.parse(JSON.stringify(spec)) as Readonly<Record<string, unknown>>);
