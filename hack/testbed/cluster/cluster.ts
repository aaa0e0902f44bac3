import type { Command, Kubectl } from "../kubectl.ts";

export interface AgentLoad {
  readonly count: number;
  /** Alerts a second of each agent. */
  readonly alertsPerSecond: number;
  /** Logs a second of each agent. */
  readonly logsPerSecond: number;
}

/** A cluster to try the product on: where it comes from is its own business. */
export interface Cluster extends AsyncDisposable {
  readonly kind: "local-node" | "existing" | "kind";
  /** What it is, for people. */
  readonly title: string;
  readonly kubectl: Kubectl;
  /** For those who start kubectl themselves. */
  readonly kubectlCommand: Command;
  /** What a person types in place of `kubectl`, and in front of a command that is to reach pods and Services. */
  readonly hints: { readonly kubectl: string; readonly inside: string };
  /** What comes before the names of our images here. */
  readonly imagePrefix: string;
  /** Whether the cluster ends with this object, and takes along all that was put into it. */
  readonly isDisposable: boolean;
  /** Makes images of OCI archives usable by pods. */
  loadImages(archives: readonly string[]): Promise<void>;
  /** Simulated agents that answer at the addresses of pods labelled as KubeArmor's, in this namespace. */
  startAgents(namespace: string, load: AgentLoad): Promise<AsyncDisposable>;
}

/** The arguments of hack/agents for agents at consecutive addresses. */
export function agentArgs(load: AgentLoad, firstAddress: string): string[] {
  return [
    `--count=${load.count}`,
    `--first-address=${firstAddress}`,
    "--port=32767",
    `--alerts-rate=${load.alertsPerSecond}`,
    `--logs-rate=${load.logsPerSecond}`,
  ];
}
