import { run } from "../command.ts";

/** Why no node can run here, as text for people; undefined when one can. Packages that can be installed do not count. */
export async function whyNoNode(): Promise<string | undefined> {
  if (process.platform !== "linux") return `a node needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "a node needs root (namespaces, mounts, cgroups)";
  try {
    await run("unshare", ["--mount", "--net", "--pid", "--fork", "--mount-proc", "true"]);
  } catch (error) {
    return `this machine refuses new namespaces: ${(error as Error).message}`;
  }
  return undefined;
}
