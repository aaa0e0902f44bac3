import { parseQuantity } from "../../lib/kube/quantity.ts";
import type { Relay } from "../api/relay.ts";
import { metricsServiceName } from "../desired/names.ts";

interface Rule {
  readonly field: string;
  readonly message: string;
  readonly holds: (relay: Relay) => boolean;
}

const group = "[0-9A-Fa-f]{1,4}";
const octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const ipv6 = [
  `(${group}:){7}${group}`,
  `(${group}:){1,7}:`,
  `(${group}:){1,6}:${group}`,
  // The `::` after so many groups at most, with so many behind it.
  ...[5, 4, 3, 2, 1].map((before) => `(${group}:){1,${before}}(:${group}){1,${7 - before}}`),
  `:((:${group}){1,7}|:)`,
  String.raw`::([Ff]{4}:)?(${octet}\.){3}${octet}`,
].join("|");
const port = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";

/** Of spec.agents.endpoints, in the CRD as well. */
export const endpointPattern = String.raw`^(\[(${ipv6})\]|[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?):${port}$`;
const endpoint = new RegExp(endpointPattern);

/** The rules of the CRD that an older server ignores, and those that an older CRD lacked. */
const rules: readonly Rule[] = [
  {
    field: "metadata.name",
    message:
      "metadata.name must be at most 63 lower-case letters, digits and dashes, because the relay's pods carry it as a label",
    holds: ({ metadata }) => metadata.name.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(metadata.name),
  },
  {
    field: "spec.limits",
    message: "mailboxBytes must be from 64Ki to 16Gi, bufferBytes from 16Mi to 16Gi",
    holds: ({ spec: { limits } }) =>
      isWholeBetween(limits.mailboxBytes, "64Ki", "16Gi") && isWholeBetween(limits.bufferBytes, "16Mi", "16Gi"),
  },
  {
    field: "spec.service.nodePort",
    message: "nodePort needs type NodePort or LoadBalancer",
    holds: ({ spec: { service } }) => service.nodePort === undefined || service.type !== "ClusterIP",
  },
  {
    field: "spec.service.name",
    message: "the name is that of the Service for metrics",
    holds: (relay) => relay.spec.service.name !== metricsServiceName(relay),
  },
  {
    field: "spec.agents.selector.matchLabels",
    message: "matchLabels needs at least one label",
    holds: ({ spec: { agents } }) => Object.keys(agents.selector.matchLabels).length > 0,
  },
  {
    field: "spec.agents.endpoints",
    message: "an endpoint is host:port with a port up to 65535, an IPv6 address in brackets",
    holds: ({ spec: { agents } }) => agents.endpoints.every((text) => endpoint.test(text)),
  },
  {
    field: "spec.podLabels",
    message: "the labels kubearmor-app, operator.kubearmor.com/* and app.kubernetes.io/* belong to the operator",
    holds: ({ spec: { podLabels } }) =>
      !Object.keys(podLabels).some((key) =>
        /^(kubearmor-app$|operator\.kubearmor\.com\/|app\.kubernetes\.io\/)/.test(key),
      ),
  },
];

/** Rules of the CRD that relays may break which are older than those: they are acted upon all the same. */
const advice: readonly Rule[] = [
  {
    field: "spec.resources.limits",
    message:
      "the memory limit should be at least twice limits.bufferBytes: the container may be killed before its buffer is full",
    holds: ({ spec: { resources, limits } }) => {
      const memory = parseQuantity(resources.limits["memory"]);
      const buffer = parseQuantity(limits.bufferBytes);
      return memory === undefined || buffer === undefined || memory >= 2n * buffer;
    },
  },
];

function isWholeBetween(value: number | string, min: string, max: string): boolean {
  const [billionths, least = 0n, most = 0n] = [value, min, max].map(parseQuantity);
  return billionths !== undefined && billionths % 1_000_000_000n === 0n && billionths >= least && billionths <= most;
}

/** What is wrong with a relay's spec, a sentence each, in a stable order: empty = it can be acted upon. */
export function problemsOf(relay: Relay): readonly string[] {
  return brokenOf(rules, relay);
}

/** What is unwise about it, likewise. */
export function warningsOf(relay: Relay): readonly string[] {
  return brokenOf(advice, relay);
}

function brokenOf(all: readonly Rule[], relay: Relay): readonly string[] {
  return all.filter((rule) => !rule.holds(relay)).map((rule) => `${rule.field}: ${rule.message}`);
}
