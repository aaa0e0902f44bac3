import { cpus, loadavg, release } from "node:os";

/** Figures mean nothing without it. */
export function machineText(): string {
  const load = loadavg().map((value) => value.toFixed(2));
  const model = cpus()[0]?.model.trim();
  return `${model}, ${cpus().length} cores, Linux ${release()}, Node ${process.version}, load average ${load.join(" ")}`;
}
