import { loadCluster } from "../lib/kube/credentials.ts";
import { systemClock } from "../lib/process/clock.ts";
import { runProgram } from "../lib/process/lifecycle.ts";
import { createLog } from "../lib/process/log.ts";
import { parseCommand } from "./commands/options.ts";
import { runCommand } from "./commands/run-command.ts";
import { parseConfig, readEnvironment } from "./config.ts";
import { startOperator } from "./operator.ts";

const environment = readEnvironment();
const argv = process.argv.slice(2);
const command = parseCommand(argv);
const parsed = command.kind === "run" ? parseConfig(argv, environment) : command;
if (parsed.kind === "invalid") {
  const log = createLog("error");
  for (const problem of parsed.errors) log.error(problem);
  process.exitCode = 2;
} else if (parsed.kind !== "valid") {
  const deps = {
    env: environment,
    stdin: process.stdin,
    print: (text: string) => process.stdout.write(text),
    log: createLog("info"),
    signal: new AbortController().signal,
  };
  process.exitCode = await runCommand(parsed, deps);
} else {
  const { config, warnings } = parsed;
  const log = createLog(config.logLevel);
  for (const warning of warnings) log.warn(warning);
  await runProgram(log, async (signal) => {
    // Before anything is waited for: a signal is heard once.
    const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    const cluster = loadCluster(config, { env: environment });
    log.info("Starting the operator", { server: cluster.server, credentials: cluster.source, ...config });
    await using operator = await startOperator(config, {
      cluster,
      clock: systemClock,
      random: Math.random,
      log,
    });
    await Promise.race([operator.ended, stopped]);
  });
}
