import { join } from "node:path";
import { run } from "./command.ts";

export interface KubectlOptions {
  /** What `-f -` reads. */
  readonly input?: string;
  readonly signal?: AbortSignal;
}

/** Runs kubectl and returns its stdout. @throws CommandError with its stderr */
export type Kubectl = (args: readonly string[], options?: KubectlOptions) => Promise<string>;

/** A program and the words that come before all others. */
export type Command = readonly [program: string, ...args: string[]];

/** The testbed's kubectl for one cluster; its cache is in `dir`: without HOME it would be in the folder it is started in. */
export function testbedKubectl(bin: string, kubeconfig: string, dir: string): Command {
  return [join(bin, "kubebox"), "kubectl", "--kubeconfig", kubeconfig, "--cache-dir", kubectlCache(dir)];
}

export function kubectlCache(dir: string): string {
  return join(dir, "kubectl-cache");
}

export function createKubectl([program, ...first]: Command): Kubectl {
  return (args, options = {}) => run(program, [...first, ...args], options);
}

/** Applies objects by server-side apply. */
export async function applyObjects(kubectl: Kubectl, items: readonly object[]): Promise<void> {
  const list = { apiVersion: "v1", kind: "List", items };
  await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], { input: JSON.stringify(list) });
}
