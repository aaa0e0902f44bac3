import { parseQuantity } from "../../../lib/kube/quantity.ts";
import { type Fields, isFields } from "./fields.ts";

/**
 * What the server makes of a pod template, in places that it compares as a whole (lists and structs without keys): there, what
 * it drops or adds would look like somebody's edit for ever. Elsewhere a default that it adds is nobody's, and what is empty
 * is known to be nothing.
 */
export function asStored(template: Fields): Fields {
  return changed(template, { spec: (spec) => (isFields(spec) ? changed(spec, podSpec) : spec) });
}

type Change = (value: unknown) => unknown;

const podSpec: Readonly<Record<string, Change>> = {
  affinity: withoutNothing,
  tolerations: withoutNothing,
  topologySpreadConstraints: each({ labelSelector: withoutNothing }),
  containers: each({ env: each({ valueFrom: reference }) }),
  initContainers: each({ env: each({ valueFrom: reference }) }),
  volumes: each({
    downwardAPI: (value) => withMode(fieldsOfItems(withoutNothing(value))),
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
  return (list) => (Array.isArray(list) ? list.map((item: unknown) => within(item, changes)) : list);
}

function fieldsOfItems(value: unknown): unknown {
  return within(value, { items: (list) => (Array.isArray(list) ? list.map(reference) : list) });
}

/** A volume of nothing is filled with the server's default, octal 644. */
function withMode(volume: unknown): unknown {
  return isEmptyMap(volume) ? { defaultMode: 0o644 } : volume;
}

/** Of an environment variable or a file: a field or a quantity of the pod. */
function reference(value: unknown): unknown {
  return within(value, {
    fieldRef: (ref) => (isFields(ref) ? { apiVersion: "v1", ...ref } : ref),
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

/** Maps that are no more than absent when they are empty; of other fields an empty object says something. */
const plainMaps = new Set(["matchLabels"]);

/** Without nulls, empty texts and lists, which the server does not store. */
function withoutNothing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNothing);
  if (!isFields(value)) return value;
  const kept = Object.entries(value).filter(
    ([name, field]) =>
      field !== null && field !== "" && !isEmptyList(field) && !(plainMaps.has(name) && isEmptyMap(field)),
  );
  return Object.fromEntries(
    // The values of labels may be empty.
    kept.map(([name, field]) => [name, plainMaps.has(name) ? field : withoutNothing(field)]),
  );
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isEmptyMap(value: unknown): boolean {
  return isFields(value) && Object.keys(value).length === 0;
}

function asFields(value: unknown): Fields {
  return isFields(value) ? value : {};
}
