import { podDisruptionBudgets } from "../../lib/kube/resources.ts";
import type { Relay } from "../api/relay.ts";
import { selectorLabels } from "./names.ts";
import { type DesiredObject, namespacedObject } from "./object.ts";

/** So many relay pods at most go at a time when nodes are drained. */
export function podDisruptionBudget(relay: Relay): DesiredObject {
  const { maxUnavailable } = relay.spec.podDisruptionBudget;
  return namespacedObject(relay, podDisruptionBudgets, {
    name: relay.metadata.name,
    body: { spec: { maxUnavailable, selector: { matchLabels: selectorLabels(relay) } } },
  });
}
