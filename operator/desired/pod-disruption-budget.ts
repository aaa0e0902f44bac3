import { podDisruptionBudgets } from "../../lib/kube/resources.ts";
import type { Relay } from "../api/relay.ts";
import { selectorLabels } from "./names.ts";
import { type DesiredObject, namespacedObject } from "./object.ts";

/** Nodes are drained one relay pod at a time. Not for a single pod, which would hold up every drain. */
export function podDisruptionBudget(relay: Relay): DesiredObject {
  return namespacedObject(relay, podDisruptionBudgets, {
    name: relay.metadata.name,
    body: { spec: { maxUnavailable: 1, selector: { matchLabels: selectorLabels(relay) } } },
  });
}
