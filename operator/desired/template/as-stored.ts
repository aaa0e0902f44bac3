import { parseQuantity } from "../../../lib/kube/quantity.ts";
import { type Fields, isFields } from "./fields.ts";
import { isEmptyMap, withoutEmpty, withoutNothing, withoutNulls } from "./without.ts";

/**
 * What the server makes of a pod template, in places that it compares as a whole (lists and structs without keys): there, what
 * it drops or adds would look like somebody's edit for ever. Elsewhere a default that it adds is nobody's, and what is empty
 * is known to be nothing.
 */
export function asStored(template: Fields): Fields {
  return changed(template, { spec: (spec) => storedSpec(withoutNulls(spec)) });
}

function storedSpec(spec: unknown): unknown {
  return within(withoutEmpty(spec, ["dnsPolicy", "restartPolicy", "schedulerName"]), podSpec);
}

type Change = (value: unknown) => unknown;

const probe: Change = (value) => within(value, { httpGet: request });

const container: Readonly<Record<string, Change>> = {
  env: each({ valueFrom: reference }),
  envFrom: withoutNothing,
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
  lifecycle: (value) => within(value, { postStart: probe, preStop: probe }),
};

const podSpec: Readonly<Record<string, Change>> = {
  affinity: withoutNothing,
  tolerations: withoutNothing,
  topologySpreadConstraints: each({ labelSelector: withoutNothing }),
  containers: eachContainer,
  initContainers: eachContainer,
  volumes: each({
    downwardAPI: (value) => withMode(fieldsOfItems(withoutNothing(value))),
    ephemeral: (value) => within(value, { volumeClaimTemplate: claim }),
    projected: (value) => withMode(within(withoutNothing(value), { sources: each(source) })),
  }),
};

const source: Readonly<Record<string, Change>> = {
  downwardAPI: fieldsOfItems,
  // Seconds. https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume/
  serviceAccountToken: (value) => (isFields(value) ? { expirationSeconds: 3600, ...value } : value),
};

/** The fields for which there is a change, where they are. */
function changed(object: Fields, changes: Readonly<Record<string, Change>>): Fields {
  const entries = Object.entries(object).map(([name, value]) => {
    const change = Object.hasOwn(changes, name) ? changes[name] : undefined;
    return [name, change === undefined ? value : change(value)] as const;
  });
  return Object.fromEntries(entries);
}

function within(value: unknown, changes: Readonly<Record<string, Change>>): unknown {
  return isFields(value) ? changed(value, changes) : value;
}

function each(changes: Readonly<Record<string, Change>>): Change {
  return (list) => eachOf(list, (item) => within(item, changes));
}

function eachOf(list: unknown, change: Change): unknown {
  return Array.isArray(list) ? list.map(change) : list;
}

function eachContainer(list: unknown): unknown {
  return eachOf(list, (item) =>
    within(withoutEmpty(item, ["imagePullPolicy", "terminationMessagePath", "terminationMessagePolicy"]), container),
  );
}

/** Of a probe or a hook. */
function request(value: unknown): unknown {
  return within(withoutEmpty(value, ["path", "scheme"]), { httpHeaders: (list) => eachOf(list, header) });
}

/** Its value may be empty, and is so when it is left out. */
function header(item: unknown): unknown {
  return isFields(item) ? { value: "", ...item } : item;
}

function claim(template: unknown): unknown {
  return within(template, { spec: (spec) => within(spec, { selector: withoutNothing }) });
}

function fieldsOfItems(value: unknown): unknown {
  return within(value, { items: (list) => eachOf(list, reference) });
}

/** A volume of nothing is filled with the server's default, octal 644. */
function withMode(volume: unknown): unknown {
  return isEmptyMap(volume) ? { defaultMode: 0o644 } : volume;
}

/** Of an environment variable or a file: a field or a quantity of the pod. */
function reference(value: unknown): unknown {
  return within(value, {
    fieldRef: (ref) => (isFields(ref) ? { apiVersion: "v1", ...asFields(withoutNothing(ref)) } : ref),
    resourceFieldRef: (ref) =>
      isFields(ref) ? { ...asFields(withoutNothing(ref)), divisor: divisor(ref["divisor"]) } : ref,
  });
}

/** As the server writes them. It takes no others. */
const divisors = [
  "0",
  "1m",
  ...["", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].map((unit) => `1${unit}`),
];

function divisor(value: unknown): unknown {
  if (value === undefined) return "0";
  const quantity = parseQuantity(value);
  return divisors.find((text) => parseQuantity(text) === quantity) ?? value;
}

function asFields(value: unknown): Fields {
  return isFields(value) ? value : {};
}
