import { parseArgs } from "node:util";
import type { ClusterChoice } from "../testbed/cluster/choose.ts";

export interface RunOptions {
  readonly cluster: Omit<ClusterChoice, "crds">;
  readonly agents: number;
  /** Alerts a second of each agent. */
  readonly alertsPerSecond: number;
  /** End after events were seen, instead of following them. */
  readonly once: boolean;
}

export const USAGE = `make run, or: node hack/run/main.ts [flags]

Starts a cluster, the operator and simulated agents in it, applies config/samples/kubearmorrelay.yaml and shows events
flow. Ctrl-C removes all of it.

  --agents=N             agents, one a node (50; 5 where they run as pods)
  --rate=N               alerts a second of each agent (0.04)
  --once                 end with status 0 when events were seen
  --kind                 use a kind cluster instead of a node on this machine; needs Docker, kind and kubectl
  --context=NAME         use this context of your kubeconfig instead
  --existing             use the current context of your kubeconfig instead
  --image-prefix=PREFIX  where an existing cluster finds our images, e.g. registry.example/team/
`;

/** @throws Error with a text for the user. undefined: help was asked for */
export function parseOptions(args: readonly string[]): RunOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      agents: { type: "string" },
      rate: { type: "string", default: "0.04" },
      once: { type: "boolean", default: false },
      kind: { type: "boolean", default: false },
      context: { type: "string" },
      existing: { type: "boolean", default: false },
      "image-prefix": { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const existing = values.existing || values.context !== undefined;
  if (existing && values.kind) throw new RangeError("Cannot use both kind and an existing cluster: choose one");
  return {
    cluster: {
      kind: existing ? "existing" : values.kind ? "kind" : undefined,
      context: values.context,
      imagePrefix: values["image-prefix"],
    },
    agents: parsePositive("agents", values.agents ?? (existing || values.kind ? "5" : "50")),
    alertsPerSecond: parsePositive("rate", values.rate),
    once: values.once,
  };
}

function parsePositive(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && Number.isFinite(value)) return value;
  throw new RangeError(`Cannot use --${name}=${text}: it must be a number over 0`);
}
