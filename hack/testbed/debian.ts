import { existsSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.ts";
import { searchPath } from "./config.ts";
import type { Progress } from "./progress.ts";

/** A file the node needs and the Debian package that brings it; a name without a slash is looked for in PATH. */
const NEEDED: readonly (readonly [file: string, package_: string])[] = [
  ["containerd", "containerd"],
  ["ctr", "containerd"],
  ["runc", "runc"],
  ["/usr/lib/cni/bridge", "containernetworking-plugins"],
  ["/usr/lib/cni/host-local", "containernetworking-plugins"],
  ["/usr/lib/cni/portmap", "containernetworking-plugins"],
  ["iptables", "iptables"],
  ["conntrack", "conntrack"],
  ["ip", "iproute2"],
  ["nsenter", "util-linux"],
  ["unshare", "util-linux"],
  ["setsid", "util-linux"],
  ["sysctl", "procps"],
  ["pgrep", "procps"],
];

/** The Debian packages of which something is missing, each once. */
export function missingPackages(exists: (path: string) => boolean, path: readonly string[]): string[] {
  const missing = NEEDED.filter(([file]) =>
    file.startsWith("/") ? !exists(file) : !path.some((folder) => exists(join(folder, file))),
  );
  return [...new Set(missing.map(([, name]) => name))];
}

/** The command that installs them, for people. */
export function installCommand(packages: readonly string[]): string {
  return `apt-get update && apt-get install -y --no-install-recommends ${packages.join(" ")}`;
}

/**
 * Sees to it that the node's Debian packages are there: installs them where that is allowed (root, apt-get).
 * @throws when something is missing and must be installed by hand, with the exact command
 */
export async function ensurePackages(progress: Progress): Promise<void> {
  const packages = missingPackages(existsSync, searchPath());
  if (packages.length === 0) return;
  const hasApt = searchPath().some((folder) => existsSync(join(folder, "apt-get")));
  if (process.getuid?.() !== 0 || !hasApt) {
    throw new Error(`Cannot start a node: ${packages.join(", ")} missing. As root: ${installCommand(packages)}`);
  }
  progress.step(`installing Debian packages: ${packages.join(" ")}`);
  await aptGet(["update"]);
  await aptGet(["install", "-y", "--no-install-recommends", ...packages]);
  const missing = missingPackages(existsSync, searchPath());
  if (missing.length > 0) {
    throw new Error(`Cannot start a node: ${missing.join(", ")} installed, but files of them are still missing`);
  }
}

function aptGet(args: readonly string[]): Promise<string> {
  // Another apt-get may be at work: wait for it rather than fail.
  const options = ["-q", "-o", "DPkg::Lock::Timeout=180"];
  return run("apt-get", [...options, ...args], { env: { DEBIAN_FRONTEND: "noninteractive" } });
}
