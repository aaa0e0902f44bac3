import { createKubeClient } from "../lib/kube/client.ts";
import { loadCluster } from "../lib/kube/credentials.ts";
import type { ListWatchDeps } from "../lib/kube/list-watch.ts";
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
  /** Another one, whose requests do not wait behind those of the watches. Its owner is the caller. */
  readonly newClient: () => ReturnType<typeof createKubeClient>;
}

export function connectToCluster({ kubeconfig }: ClusterConfig, deps: ClusterDeps): ClusterConnection {
  const { version, clock, random, log } = deps;
  const cluster = loadCluster({ kubeconfig });
  const newClient = () => createKubeClient(cluster, { log, userAgent: `kubearmor-relay/${version}`, clock, random });
  const client = newClient();
  return {
    watching: { client, clock, random, log },
    newClient,
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}
