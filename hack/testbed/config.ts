import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

/** Where the testbed keeps what it builds and where its clusters live while they run. Both are outside the tree. */
export interface TestbedPaths {
  /** Binaries and images, by content: may be deleted at any time, may be shared by checkouts. */
  readonly cache: string;
  /** One directory for each running node: what a killed run leaves is found here by the next. */
  readonly run: string;
}

export function testbedPaths(env: NodeJS.ProcessEnv = process.env): TestbedPaths {
  const userCache = env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return {
    cache: env["KUBEARMOR_RELAY_CACHE"] || join(userCache, "kubearmor-relay"),
    run: join(tmpdir(), "kubearmor-relay-testbed"),
  };
}

/** Set by test runs that must not skip what needs root: a skip then is a failure. */
export function isNodeRequired(env: NodeJS.ProcessEnv = process.env): boolean {
  return env["KUBEARMOR_RELAY_REQUIRE_NODE"] === "1";
}

/** The environment of child programs, with `changes` on top. */
export function childEnv(changes: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...changes };
}

/** The first file of that name in the folders of PATH; system folders are searched too, which a user's PATH may lack. */
export function searchPath(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const path = (env["PATH"] ?? "").split(":").filter((folder) => folder !== "");
  return [...new Set([...path, "/usr/local/sbin", "/usr/sbin", "/sbin"])];
}
