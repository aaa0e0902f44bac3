/**
 * Plays KubeArmor agents for tests and demonstrations. JSON lines on stdout: `ready` when all listen, `fault` as each
 * strikes, `report` with counts on an interval and at the end (SIGTERM, SIGINT). Logs on stderr.
 */
import { systemClock } from "../../lib/process/clock.ts";
import { createLog, errorText } from "../../lib/process/log.ts";
import type { Fault } from "./faults.ts";
import { playFaults } from "./faults.ts";
import { helpText, parseFlags } from "./flags.ts";
import { AgentFleet } from "./fleet.ts";
import { agentFlags, agentsConfig } from "./options.ts";
import type { AgentsConfig } from "./options.ts";

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function readConfig(args: readonly string[]): AgentsConfig | undefined {
  try {
    const flags = parseFlags(agentFlags, args);
    if (!flags.is("help")) return agentsConfig(flags);
    process.stdout.write(helpText("node hack/agents/main.ts [flags]", agentFlags));
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n\n${helpText("node hack/agents/main.ts [flags]", agentFlags)}`);
    process.exitCode = 2;
  }
  return undefined;
}

async function run(config: AgentsConfig): Promise<void> {
  const log = createLog("info");
  const clock = systemClock;
  const startedMs = clock.monotonic();
  await using fleet = new AgentFleet(config.fleet, { clock });
  await fleet.open();
  const describe = ({ name, host, epoch, address, healthAddress }: (typeof fleet.agents)[number]) => {
    return { agent: name, host, epoch, address, health: healthAddress };
  };
  print({ kind: "ready", agents: fleet.agents.map(describe) });

  const report = (final: boolean) => {
    print({ kind: "report", final, uptimeMs: Math.round(clock.monotonic() - startedMs), agents: fleet.counts() });
  };
  const interval =
    config.reportIntervalMs === undefined ? undefined : setInterval(report, config.reportIntervalMs, false);
  using _faults = playFaults(fleet, config.faults, {
    clock,
    began: ({ name, address }, fault) => print({ kind: "fault", agent: name, address, fault }),
    failed: ({ name }, fault: Fault, error) => log.error("A fault could not be played", { agent: name, fault, error }),
  });

  await new Promise<void>((resolve) => {
    process.once("SIGTERM", () => resolve());
    process.once("SIGINT", () => resolve());
  });
  clearInterval(interval);
  report(true);
}

const config = readConfig(process.argv.slice(2));
if (config !== undefined) {
  run(config).catch((error: unknown) => {
    createLog("error").error("Cannot play agents", { error });
    process.exitCode = 1;
  });
}
