import { readFileSync } from "node:fs";
import { parseFaults } from "./fault-script.ts";
import type { ScheduledFault } from "./faults.ts";
import type { Flag, Flags } from "./flags.ts";
import type { FleetOptions } from "./fleet.ts";

export const agentFlags: Readonly<Record<string, Flag>> = {
  count: { value: "N", default: "1", about: "agents" },
  "first-address": {
    value: "IPv4",
    about: "address of the first agent, the others follow; without it all are at 127.0.0.1, with --port 0",
  },
  port: { value: "PORT", default: "32767", about: "of the event streams; 0: a free one for each agent" },
  "health-port": { value: "PORT", about: "of grpc.health.v1, plaintext; 0: no health server (32766, 0 with --port 0)" },
  "alerts-rate": { value: "N", default: "1", about: "alerts a second and agent" },
  "logs-rate": { value: "N", default: "1", about: "logs a second and agent" },
  "messages-rate": { value: "N", default: "0", about: "messages a second and agent: agents are silent without debug" },
  burst: { value: "N", default: "1", about: "events that come at once; rates stay the same" },
  limit: { value: "N", about: "events after which a feed of an agent stops (never)" },
  "when-watched": { about: "produce only while somebody is subscribed" },
  seed: { value: "N", default: "1", about: "of everything random" },
  "name-prefix": { value: "TEXT", default: "agent-", about: "of the agents' names in the events' marks" },
  "host-prefix": { value: "TEXT", default: "node-", about: "of HostName" },
  cluster: { value: "NAME", default: "default", about: "ClusterName" },
  faults: { value: "SCRIPT", about: 'e.g. "2s hang agent=3 for=10s; 5s reset; 1m replace agent=0,1 down=2s"' },
  "faults-file": { value: "FILE", about: "the same from a file, entries on lines or separated by semicolons" },
  "report-interval": { value: "SECONDS", default: "0", about: "between reports on stdout; 0: only at the end" },
  help: { about: "print this" },
};

export interface AgentsConfig {
  readonly fleet: FleetOptions;
  readonly faults: readonly ScheduledFault[];
  /** undefined: only at the end. */
  readonly reportIntervalMs: number | undefined;
}

/** @throws RangeError with a text for the user */
export function agentsConfig(flags: Flags): AgentsConfig {
  const firstAddress = flags.text("first-address");
  const port = flags.whole("port") ?? 0;
  const count = flags.whole("count") ?? 1;
  if (firstAddress === undefined && port !== 0 && count > 1) {
    throw new RangeError(
      `Cannot start ${count} agents on one address and port ${port}: give --first-address or --port 0`,
    );
  }
  const healthPort = flags.whole("health-port") ?? (port === 0 ? 0 : 32766);
  const fixedPort = port || healthPort;
  if (firstAddress === undefined && fixedPort !== 0 && count > 1) {
    throw new RangeError(
      `Cannot start ${count} agents on one address and port ${fixedPort}: give --first-address or --port 0`,
    );
  }
  const limit = flags.whole("limit");
  const reportInterval = flags.number("report-interval") ?? 0;
  const script = [flags.text("faults") ?? "", faultsFile(flags.text("faults-file"))].join(";");
  return {
    fleet: {
      count,
      port,
      ...(firstAddress === undefined ? {} : { firstAddress }),
      ...(healthPort === 0 ? {} : { healthPort }),
      rates: {
        alerts: flags.number("alerts-rate") ?? 0,
        logs: flags.number("logs-rate") ?? 0,
        messages: flags.number("messages-rate") ?? 0,
      },
      burst: Math.max(1, flags.whole("burst") ?? 1),
      ...(limit === undefined ? {} : { limit }),
      whenWatched: flags.is("when-watched"),
      seed: flags.whole("seed") ?? 1,
      namePrefix: flags.text("name-prefix") ?? "agent-",
      hostPrefix: flags.text("host-prefix") ?? "node-",
      cluster: flags.text("cluster") ?? "default",
    },
    faults: checkedAgents(parseFaults(script), count),
    reportIntervalMs: reportInterval === 0 ? undefined : reportInterval * 1000,
  };
}

function faultsFile(path: string | undefined): string {
  return path === undefined ? "" : readFileSync(path, "utf8").replaceAll("\n", ";");
}

function checkedAgents(faults: readonly ScheduledFault[], count: number): readonly ScheduledFault[] {
  for (const { agents, fault } of faults) {
    const missing = agents === "all" ? undefined : agents.find((index) => index >= count);
    if (missing !== undefined) throw new RangeError(`Cannot ${fault.kind} agent ${missing}: there are ${count}`);
  }
  return faults;
}
