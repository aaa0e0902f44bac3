/**
 * The operator's program, but its watches end after half a minute to a minute instead of minutes, so that even a short
 * soak sees many of them end; and it logs where its metrics are.
 */
import { loadCluster } from "../../lib/kube/credentials.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { runProgram } from "../../lib/process/lifecycle.ts";
import { createLog } from "../../lib/process/log.ts";
import { parseConfig } from "../../operator/config.ts";
import { startOperator } from "../../operator/operator.ts";

const parsed = parseConfig(process.argv.slice(2), {});
if (parsed.kind === "invalid") throw new Error(parsed.errors.join("; "));
const { config } = parsed;
const log = createLog(config.logLevel);
await runProgram(log, async (signal) => {
  const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  const cluster = loadCluster(config);
  const options = { ...config, watchSeconds: { min: 30, spread: 30 } };
  await using operator = await startOperator(options, { cluster, clock: systemClock, random: Math.random, log });
  log.info("Serving metrics", { httpPort: operator.httpPort });
  await Promise.race([operator.ended, stopped]);
});
