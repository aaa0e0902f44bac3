import { type Agent, type Endpoint, endpointText } from "../nodes/agent.ts";

/** Agents that somebody named: nothing else is known of them. */
export function staticAgents(endpoints: readonly Endpoint[]): readonly Agent[] {
  return endpoints.map((endpoint) => {
    const text = endpointText(endpoint);
    return { id: `static:${text}`, name: text, endpoints: [endpoint] };
  });
}
