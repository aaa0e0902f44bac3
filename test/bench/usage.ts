import { readFileSync, readdirSync } from "node:fs";

/** What the operating system says a process has used. */
export interface Usage {
  /** CPU time of all threads, user and system. */
  readonly cpuNs: number;
  readonly residentBytes: number;
  readonly peakResidentBytes: number;
}

/** Reads Linux' /proc. The time is the scheduler's (nanoseconds), not the 10 ms ticks of `stat`. */
export function readUsage(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return {
    cpuNs: cpuNs(pid),
    residentBytes: kibibytes(status, "VmRSS"),
    peakResidentBytes: kibibytes(status, "VmHWM"),
  };
}

function cpuNs(pid: number): number {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    // First field: time spent on a CPU (Documentation/scheduler/sched-stats.rst).
    sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ", 1)[0]);
  }
  return sum;
}

function kibibytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "mu").exec(status)?.[1]) * 1024;
}

/** The cores a process may run on, from its /proc/PID/status: `Cpus_allowed_list: 0-2,5`. */
export function allowedCores(status: string): readonly number[] {
  const list = /^Cpus_allowed_list:\s+(\S+)$/mu.exec(status)?.[1] ?? "";
  return list.split(",").flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
