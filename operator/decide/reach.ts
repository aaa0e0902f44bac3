import type { Relay } from "../api/relay.ts";

/** The only namespaces in which the operator has rights; undefined: it has them in the whole cluster. */
export type Reach = readonly string[] | undefined;

/** What a relay asks for that the operator has no rights to give, a sentence each with what to set: empty = nothing. */
export function beyondReach({ spec: { agents, enrichment } }: Relay, reach: Reach): readonly string[] {
  if (reach === undefined) return [];
  const among = `the operator has rights in ${reach.join(", ")} only`;
  const elsewhere = agents.namespaces.filter((namespace) => !reach.includes(namespace)).toSorted();
  return [
    ...(agents.namespaces.length === 0
      ? [`spec.agents.namespaces: set it to the namespaces of the agents, because ${among}`]
      : []),
    ...(elsewhere.length > 0 ? [`spec.agents.namespaces: take out ${elsewhere.join(", ")}, because ${among}`] : []),
    ...(enrichment.remoteHost
      ? [`spec.enrichment.remoteHost: set it to false, because peers are looked for in the whole cluster, and ${among}`]
      : []),
  ];
}
