/**
 * What merging has to know of a pod template: lists whose items have an identity, and objects of whose fields one at most
 * may be there. What is not named here is merged when it is an object and replaced when it is anything else.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ ("Patch strategy: merge", "Map: unique
 * values on key ... will be kept during a merge")
 */
export interface Shape {
  readonly fields?: Readonly<Record<string, Shape>>;
  /** A list: the fields that tell its items apart. */
  readonly keys?: readonly [string, ...string[]];
  /** What the server takes for a key that an item leaves out. */
  readonly keyDefaults?: Readonly<Record<string, string>>;
  /** Of a list's items. */
  readonly item?: Shape;
  /** Fields that exclude each other. */
  readonly oneOf?: readonly string[] | "all-but-name";
}

const plain: Shape = {};

export function fieldShape({ fields }: Shape, name: string): Shape {
  // What a user calls a field may be what every object inherits.
  return fields !== undefined && Object.hasOwn(fields, name) ? (fields[name] ?? plain) : plain;
}

const named = { keys: ["name"] } as const;
const handler: Shape = { oneOf: ["exec", "grpc", "httpGet", "sleep", "tcpSocket"] };

const environment: Shape = {
  ...named,
  item: {
    oneOf: ["value", "valueFrom"],
    fields: { valueFrom: { oneOf: ["configMapKeyRef", "fieldRef", "fileKeyRef", "resourceFieldRef", "secretKeyRef"] } },
  },
};

const containers: Shape = {
  ...named,
  item: {
    fields: {
      env: environment,
      ports: { keys: ["containerPort", "protocol"], keyDefaults: { protocol: "TCP" } },
      volumeMounts: { keys: ["mountPath"] },
      volumeDevices: { keys: ["devicePath"] },
      resources: { fields: { claims: named } },
      startupProbe: handler,
      livenessProbe: handler,
      readinessProbe: handler,
      lifecycle: { fields: { postStart: handler, preStop: handler } },
    },
  },
};

export const templateShape: Shape = {
  fields: {
    spec: {
      fields: {
        containers,
        initContainers: containers,
        volumes: { ...named, item: { oneOf: "all-but-name" } },
        imagePullSecrets: named,
        hostAliases: { keys: ["ip"] },
        topologySpreadConstraints: { keys: ["topologyKey", "whenUnsatisfiable"] },
        resourceClaims: named,
        schedulingGates: named,
      },
    },
  },
};
