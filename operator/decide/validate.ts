import type { Relay } from "../api/relay.ts";

interface Rule {
  readonly field: string;
  readonly message: string;
  readonly holds: (relay: Relay) => boolean;
}

/** The rules of the CRD that reach over several fields, again: an older server ignores them, and an older CRD had fewer. */
const rules: readonly Rule[] = [
  {
    field: "metadata.name",
    message:
      "metadata.name must be at most 63 lower-case letters, digits and dashes, because the relay's pods carry it as a label",
    holds: ({ metadata }) => metadata.name.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(metadata.name),
  },
  {
    field: "spec.replicas",
    message: "stdout needs spec.replicas to be at most 1, because every replica would print every event",
    holds: ({ spec: { replicas, stdout } }) => replicas <= 1 || !(stdout.alerts || stdout.logs || stdout.messages),
  },
  {
    field: "spec.service.nodePort",
    message: "nodePort needs type NodePort or LoadBalancer",
    holds: ({ spec: { service } }) => service.nodePort === undefined || service.type !== "ClusterIP",
  },
  {
    field: "spec.agents.selector.matchLabels",
    message: "matchLabels needs at least one label",
    holds: ({ spec: { agents } }) => Object.keys(agents.selector.matchLabels).length > 0,
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

/** What is wrong with a relay's spec, a sentence each, in a stable order: empty = it can be acted upon. */
export function problemsOf(relay: Relay): readonly string[] {
  return rules.filter((rule) => !rule.holds(relay)).map((rule) => `${rule.field}: ${rule.message}`);
}
