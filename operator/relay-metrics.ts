import { Gauge, type Registry } from "prom-client";
import type { KubeObject } from "../lib/kube/types.ts";
import { type Relay, parseRelay } from "./api/relay.ts";
import { conditionTypes } from "./decide/reasons.ts";

export interface RelayMetricsDeps {
  /** Every relay there is, with the status that was written last. */
  readonly relays: () => readonly KubeObject[];
  /** A standby knows the same relays: told twice, every sum would be double. */
  readonly isLeader: () => boolean;
}

/**
 * The state of every relay, read off its status when it is asked for: the series of a relay vanish with it. Conditions are
 * told as kube-state-metrics does, 0 or 1 for each status, so that an alert on `status="true"` has a series before it fires.
 */
export function createRelayMetrics(registry: Registry, { relays, isLeader }: RelayMetricsDeps): void {
  const each = (set: (relay: Relay, name: { readonly namespace: string; readonly name: string }) => void) => {
    if (!isLeader()) return;
    for (const object of relays()) {
      const { namespace = "", name } = object.metadata;
      set(parseRelay(object), { namespace, name });
    }
  };
  registry.registerMetric(
    new Gauge({
      name: "kubearmorrelay_info",
      help: "1 for every relay, with the version that its pods report and their image",
      labelNames: ["namespace", "name", "version", "image"],
      registers: [],
      collect() {
        this.reset();
        each(({ status: { version = "", image = "" } }, name) => this.set({ ...name, version, image }, 1));
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: "kubearmorrelay_condition",
      help: "Conditions of every relay: 1 for the status that holds, and 0 for the other",
      labelNames: ["namespace", "name", "type", "status"],
      registers: [],
      collect() {
        this.reset();
        each(({ status: { conditions = [] } }, name) => {
          for (const type of conditionTypes) {
            const isTrue = conditions.some((condition) => condition.type === type && condition.status === "True");
            this.set({ ...name, type, status: "true" }, isTrue ? 1 : 0);
            this.set({ ...name, type, status: "false" }, isTrue ? 0 : 1);
          }
        });
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: "kubearmorrelay_agents",
      help: "Agents of every relay that reports: seen by the pod that sees most, connected to the pod that has fewest",
      labelNames: ["namespace", "name", "state"],
      registers: [],
      collect() {
        this.reset();
        each(({ status: { agents } }, name) => {
          if (agents === undefined) return;
          this.set({ ...name, state: "seen" }, agents.seen ?? 0);
          this.set({ ...name, state: "connected" }, agents.connected ?? 0);
        });
      },
    }),
  );
}

/** @param agesMs by kind. */
export function createEventAgeMetric(registry: Registry, agesMs: () => ReadonlyMap<string, number>): void {
  registry.registerMetric(
    new Gauge({
      name: "kubearmorrelay_last_event_age_seconds",
      help: "Since when no object of this kind has changed or been listed, as far as the watch has told",
      labelNames: ["kind"],
      registers: [],
      collect() {
        for (const [kind, ageMs] of agesMs()) this.set({ kind }, ageMs / 1000);
      },
    }),
  );
}
