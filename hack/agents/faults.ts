import type { status } from "@grpc/grpc-js";
import type { Clock } from "../../lib/process/clock.ts";
import type { Agent, GarbageForm } from "./agent.ts";
import type { FeedName } from "./contract.ts";
import type { AgentFleet } from "./fleet.ts";

export type Fault =
  | { readonly kind: "hang"; readonly forMs?: number }
  | { readonly kind: "resume" }
  | { readonly kind: "reset" }
  | { readonly kind: "goaway"; readonly code: number; readonly debug: string; readonly cutAfterMs?: number }
  | { readonly kind: "garbage"; readonly form: GarbageForm; readonly feed: FeedName }
  | { readonly kind: "stream-error"; readonly feed: FeedName; readonly code: status }
  | { readonly kind: "slow-health"; readonly delayMs: number }
  | { readonly kind: "restart"; readonly downMs: number }
  | { readonly kind: "replace"; readonly downMs: number };

export interface ScheduledFault {
  readonly atMs: number;
  /** Again and again after the first time. */
  readonly everyMs?: number;
  /** Indices; "all" = every agent. */
  readonly agents: "all" | readonly number[];
  readonly fault: Fault;
}

/** Resolves when the fault is over for a restart or replacement, at once for the others. */
export async function applyFault(agent: Agent, fault: Fault): Promise<void> {
  switch (fault.kind) {
    case "hang":
      agent.hang(fault);
      return;
    case "resume":
      agent.resume();
      return;
    case "reset":
      agent.reset();
      return;
    case "goaway":
      agent.goaway(fault);
      return;
    case "garbage":
      agent.garbage(fault.form, fault.feed);
      return;
    case "stream-error":
      agent.endStreams(fault.feed, fault.code);
      return;
    case "slow-health":
      agent.slowHealth(fault.delayMs);
      return;
    case "restart":
      await agent.restart(fault);
      return;
    case "replace":
      await agent.replace(fault);
  }
}

export interface FaultDeps {
  readonly clock: Clock;
  /** Hears of every fault as it strikes an agent. */
  readonly began: (agent: Agent, fault: Fault) => void;
  readonly failed: (agent: Agent, fault: Fault, error: unknown) => void;
}

/** Plays a script on a fleet, counted from now, until disposed. */
export function playFaults(fleet: AgentFleet, script: readonly ScheduledFault[], deps: FaultDeps): Disposable {
  const pending = new Set<() => void>();
  const at = (delayMs: number, scheduled: ScheduledFault) => {
    const cancel = deps.clock.after(delayMs, () => {
      pending.delete(cancel);
      const agents = scheduled.agents === "all" ? fleet.agents : scheduled.agents.map((index) => fleet.agent(index));
      for (const agent of agents) {
        deps.began(agent, scheduled.fault);
        applyFault(agent, scheduled.fault).catch((error: unknown) => deps.failed(agent, scheduled.fault, error));
      }
      if (scheduled.everyMs !== undefined) at(scheduled.everyMs, scheduled);
    });
    pending.add(cancel);
  };
  for (const scheduled of script) at(scheduled.atMs, scheduled);
  return {
    [Symbol.dispose]: () => {
      for (const cancel of pending) cancel();
    },
  };
}
