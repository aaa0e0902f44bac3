import type { Relay } from "../api/relay.ts";
import { selectorLabels } from "./names.ts";

/** How the pods are spread: as the spec says, however little that is, else as below. */
export function spread(relay: Relay): readonly object[] {
  const own = { matchLabels: selectorLabels(relay) };
  const given = relay.spec.topologySpreadConstraints;
  // A constraint that counts no pods would never hold one back.
  if (given !== undefined) return given.map((constraint) => Object.assign({ labelSelector: own }, constraint));
  return relay.spec.replicas < 2 ? [] : defaultSpread(own);
}

/**
 * Several pods are to survive a node and a zone, but rather share one than wait. Pods of the template before count, too, while
 * they last: `matchLabelKeys` would leave them out, but servers before 1.25 answer an apply of that field with HTTP 500, and
 * those before 1.27 do not keep it, which would look like drift for ever. A spec may ask for it.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
 */
function defaultSpread(labelSelector: object): readonly object[] {
  return ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector,
  }));
}
