import { createKubeClient } from "../lib/kube/client.ts";
import { type Cluster, loadCluster } from "../lib/kube/credentials.ts";
import type { ListWatchDeps } from "../lib/kube/list-watch.ts";
import type { KubeClient } from "../lib/kube/types.ts";
import type { Clock, Random } from "../lib/process/clock.ts";
import type { Log } from "../lib/process/log.ts";
import type { ClusterConfig } from "./config.ts";

export interface ClusterDeps {
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** The cluster's API, asked for nothing yet. */
export interface ClusterConnection extends AsyncDisposable {
  readonly watching: ListWatchDeps;
  /** For single requests that may wait behind those of the watches. */
  readonly client: KubeClient;
  /** Another one, whose requests do not wait behind those of the watches. Its owner is the caller. */
  readonly newClient: () => ReturnType<typeof createKubeClient>;
}

/**
 * Undefined when the cluster is not needed and its credentials are not there: a pod may have been given no token.
 * @throws when it is needed
 */
export function connectToCluster(config: ClusterConfig, deps: ClusterDeps): ClusterConnection | undefined {
  const { version, clock, random, log } = deps;
  const cluster = load(config, log);
  if (cluster === undefined) return undefined;
  const newClient = () => createKubeClient(cluster, { log, userAgent: `kubearmor-relay/${version}`, clock, random });
  const client = newClient();
  return {
    watching: { client, clock, random, log },
    client,
    newClient,
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

function load({ kubeconfig, isNeeded }: ClusterConfig, log: Log): Cluster | undefined {
  try {
    return loadCluster({ kubeconfig });
  } catch (error) {
    if (isNeeded) throw error;
    log.warn("There is no access to the cluster: only agents that were named are read, and no peers are", { error });
    return undefined;
  }
}
