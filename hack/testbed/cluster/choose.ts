import { whyNoNode } from "../node/requirements.ts";
import type { Cluster } from "./cluster.ts";
import { existingCluster } from "./existing.ts";
import { kindCluster, whyNoKind } from "./kind.ts";
import { localNodeCluster } from "./local-node.ts";

/** Which cluster is wanted; undefined: the best there is, and never one that is somebody's. */
export interface ClusterChoice {
  readonly kind: "local-node" | "existing" | "kind" | undefined;
  readonly context: string | undefined;
  readonly imagePrefix: string | undefined;
  readonly crds: readonly string[];
}

export function openCluster(choice: ClusterChoice): Promise<Cluster> {
  switch (choice.kind) {
    case "existing":
      return existingCluster(choice);
    case "kind":
      return kindCluster();
    case "local-node":
      return localNodeCluster({ crds: choice.crds });
    default:
      return openBest(choice);
  }
}

async function openBest(choice: ClusterChoice): Promise<Cluster> {
  const noNode = await whyNoNode();
  if (noNode === undefined) return localNodeCluster({ crds: choice.crds });
  const noKind = await whyNoKind();
  if (noKind === undefined) return kindCluster();
  throw new Error(
    `Cannot find a cluster to use: ${noNode}; ${noKind}. Run as root on Linux, install kind, or name an existing cluster: --context=NAME`,
  );
}
