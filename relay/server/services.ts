import type { CallDeps } from "./call.ts";
import { descriptorSet, logServiceDefinition } from "./definitions.ts";
import { Health } from "./health.ts";
import { logServiceHandlers } from "./log-service.ts";
import { addReflection } from "./reflection.ts";
import { Registry } from "./registry.ts";

export interface Services {
  readonly registry: Registry;
  readonly health: Health;
}

/** What is served besides the hot methods: `feeder.LogService/HealthCheck`, health and reflection. */
export function createServices(deps: CallDeps): Services {
  const registry = new Registry(deps);
  const health = new Health(true);
  registry.addService(logServiceDefinition(), logServiceHandlers());
  health.addTo(registry);
  addReflection(registry, descriptorSet());
  return { registry, health };
}
