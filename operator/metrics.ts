import { Counter, Gauge, type Registry } from "prom-client";
import type { EventOutcome } from "../lib/kube/events.ts";
import { leaseName } from "./permissions.ts";
import { type PlannedWrite, objectText } from "./decide/plan.ts";
import type { Log } from "../lib/process/log.ts";
import type { Write } from "./reconcile/write.ts";

export interface OperatorMetrics {
  /** Counts and logs a write of a relay's object. */
  onWrite(write: Write): void;
  onDrift(write: PlannedWrite): void;
  onEvent(outcome: EventOutcome): void;
  onWatchRestart(kind: string, reason: string): void;
  setLeader(isLeader: boolean): void;
}

export function createOperatorMetrics(registry: Registry, log: Log): OperatorMetrics {
  const registers = [registry];
  const writes = new Counter({
    name: "kubearmorrelay_apply_total",
    help: "Writes of objects of relays, by kind and result; existing tells objects changed or repaired from new ones",
    labelNames: ["kind", "verb", "existing", "result"],
    registers,
  });
  const drift = new Counter({
    name: "kubearmorrelay_drift_corrections_total",
    help: "Repairs of what somebody else did to objects of relays, by kind",
    labelNames: ["kind"],
    registers,
  });
  const events = new Counter({
    name: "kubearmorrelay_events_total",
    help: "Events recorded about relays, by what became of them",
    labelNames: ["outcome"],
    registers,
  });
  for (const outcome of ["created", "updated", "dropped", "failed"] satisfies EventOutcome[])
    events.inc({ outcome }, 0);
  const restarts = new Counter({
    name: "kubearmorrelay_watch_restarts_total",
    help: "Ends of watches that were not asked for, by kind and reason",
    labelNames: ["kind", "reason"],
    registers,
  });
  const leader = new Gauge({
    name: "leader_election_master_status",
    help: "1 while this process holds the lease",
    labelNames: ["name"],
    registers,
  });
  leader.set({ name: leaseName }, 0);
  return {
    onWrite(write) {
      const { resource, object } = write.object;
      const result = write.error === undefined ? "success" : "error";
      writes.inc({ kind: resource.kind, verb: write.kind, existing: String(write.existed), result });
      const fields = { object: objectText(write.object), namespace: object.metadata.namespace, verb: write.kind };
      if (write.error === undefined) log.info("Wrote an object", { ...fields, existed: write.existed });
      else log.warn("Cannot write an object", { ...fields, error: write.error });
    },
    onDrift: ({ desired }) => drift.inc({ kind: desired.resource.kind }),
    onEvent: (outcome) => events.inc({ outcome }),
    onWatchRestart: (kind, reason) => restarts.inc({ kind, reason }),
    setLeader: (isLeader) => leader.set({ name: leaseName }, isLeader ? 1 : 0),
  };
}
