import { HealthImplementation } from "grpc-health-check";
import type { Registry } from "./registry.ts";

/** Services that have a health of their own; "" stands for the whole server. */
const names = ["", "feeder.LogService"];

/** `grpc.health.v1.Health`. */
export class Health {
  readonly #implementation: HealthImplementation;
  #isServing: boolean;

  constructor(isServing: boolean) {
    this.#isServing = isServing;
    this.#implementation = new HealthImplementation(
      Object.fromEntries(names.map((name) => [name, statusText(isServing)])),
    );
  }

  addTo(registry: Registry): void {
    this.#implementation.addToServer(registry);
  }

  /** Tells those who watch, if it is news. */
  set(isServing: boolean): void {
    if (isServing === this.#isServing) return;
    this.#isServing = isServing;
    for (const name of names) this.#implementation.setStatus(name, statusText(isServing));
  }
}

function statusText(isServing: boolean): "SERVING" | "NOT_SERVING" {
  return isServing ? "SERVING" : "NOT_SERVING";
}
