import { join } from "node:path";
import { run } from "./command.ts";

export interface KubectlOptions {
  /** What `-f -` reads. */
  readonly input?: string;
  readonly signal?: AbortSignal;
}

/** Runs kubectl and returns its stdout. @throws CommandError with its stderr */
export type Kubectl = (args: readonly string[], options?: KubectlOptions) => Promise<string>;

/** kubectl of the testbed's own version, with `prefix` in front of the command (to enter namespaces). */
export function createKubectl(bin: string, kubeconfig: string, prefix: readonly string[] = []): Kubectl {
  const [command, ...first] = kubectlCommand(bin, kubeconfig, prefix);
  return (args, options = {}) => run(command, [...first, ...args], options);
}

/** The words of that command, for those who start it themselves. */
export function kubectlCommand(bin: string, kubeconfig: string, prefix: readonly string[] = []): [string, ...string[]] {
  return [...prefix, join(bin, "kubebox"), "kubectl", "--kubeconfig", kubeconfig] as unknown as [string, ...string[]];
}

/** Applies objects as one list, in one request each, without kubectl's client-side bookkeeping. */
export async function applyObjects(kubectl: Kubectl, items: readonly object[]): Promise<void> {
  const list = { apiVersion: "v1", kind: "List", items };
  await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], { input: JSON.stringify(list) });
}
