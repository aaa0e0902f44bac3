import packageJson from "../package.json" with { type: "json" };
import { systemClock } from "../lib/process/clock.ts";
import { runProgram } from "../lib/process/lifecycle.ts";
import { createLog } from "../lib/process/log.ts";
import { parseConfig } from "./config.ts";
import { startRelay } from "./relay.ts";
import { openWriter } from "./sinks/open-writer.ts";

const stdoutFd = 1;
/** Below the 30 s that Kubernetes gives a pod to end. */
const drainDeadlineMs = 10_000;

const parsed = parseConfig(process.argv.slice(2), process.env);
if (parsed.kind === "refused") {
  createLog("error").error("Cannot start: the command line or the environment is wrong", { problems: parsed.errors });
  process.exitCode = 2;
} else {
  const log = createLog(parsed.config.settings.logLevel);
  for (const warning of parsed.warnings) log.warn(warning);
  await runProgram(log, async (signal) => {
    const relay = await startRelay(parsed.config, {
      version: packageJson.version,
      stdout: openWriter(stdoutFd, { clock: systemClock, log }),
      clock: systemClock,
      random: Math.random,
      log,
      setLogLevel: (level) => log.setLevel(level),
    });
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await relay.drain(drainDeadlineMs);
  });
}
