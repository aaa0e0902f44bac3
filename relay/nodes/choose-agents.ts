import { type Agent, endpointText } from "./agent.ts";

/**
 * Which of the agents to be connected to, given all that discovery reports, best first: at most one per endpoint, because
 * agents use the host network and a pod replaced on its node has the address of its predecessor. Two connections would
 * deliver every event of that node twice.
 */
export function chooseAgents(candidates: readonly Agent[]): ReadonlyMap<string, Agent> {
  const chosen = new Map<string, Agent>();
  const taken = new Set<string>();
  for (const agent of candidates) {
    const endpoints = agent.endpoints.map(endpointText);
    if (chosen.has(agent.id) || endpoints.some((endpoint) => taken.has(endpoint))) continue;
    chosen.set(agent.id, agent);
    for (const endpoint of endpoints) taken.add(endpoint);
  }
  return chosen;
}
