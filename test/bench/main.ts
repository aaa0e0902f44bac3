import { errorText } from "../../lib/process/log.ts";
import { bench } from "./bench.ts";
import { readConfig, usage } from "./config.ts";

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.once(name, () => stop.abort(new Error(`Stopped by ${name}`)));

const args = process.argv.slice(2);
if (args.includes("--help") || args.includes("-h")) {
  console.log(usage);
} else {
  try {
    await bench(readConfig(args, process.env), { print: (text) => console.log(text), signal: stop.signal });
  } catch (error) {
    console.error(errorText(stop.signal.aborted ? stop.signal.reason : error));
    process.exitCode = 1;
  }
}
