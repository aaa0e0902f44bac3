import { readFileSync } from "node:fs";

/** A process that a reused process id is not mistaken for. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to its start, with the boot's id; empty where /proc is missing. */
  readonly started: string;
}

/** The identity of a running process, or undefined when there is none with that id. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as another user.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return undefined;
  }
  return { pid, started: startedAt(pid) };
}

export function isAlive(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid);
  return now !== undefined && now.started === identity.started;
}

function startedAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // proc(5): field 22 is the start time; field 2, the name in brackets, may contain blanks.
    const afterName = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie runs no more, it only waits for its parent.
    if (afterName[0] === "Z") return "ended";
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}/${afterName[19]}`;
  } catch {
    // No /proc on this system: the process id alone has to do.
    return "";
  }
}
