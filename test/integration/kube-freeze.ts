import { readFileSync, readdirSync } from "node:fs";
import { basename } from "node:path";

/** All of a control plane stands still: connections stay open, nothing is answered, and what is sent waits in buffers. */
export function freezeControlPlane(dir: string): { readonly thaw: () => void } {
  const pid = findServer(dir);
  process.kill(pid, "SIGSTOP");
  return { thaw: () => process.kill(pid, "SIGCONT") };
}

/** The program that a tether holds, not the tether, which has the same words on its command line. */
function findServer(dir: string): number {
  const found = readdirSync("/proc").find((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    const words = commandLine(entry);
    return basename(words[0] ?? "") === "kubebox" && words.includes(`--dir=${dir}`);
  });
  if (found === undefined) throw new Error(`Cannot freeze the control plane of "${dir}": no process of it is found`);
  return Number(found);
}

function commandLine(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    // It ended while we looked.
    return [];
  }
}
