import { existsSync, readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { systemClock } from "../process/clock.ts";
import type { Clock } from "../process/clock.ts";
import { describedCluster } from "./cluster.ts";
import type { Cluster, ClusterDescription } from "./cluster.ts";
import { describeKubeconfig } from "./kubeconfig.ts";

export type { Cluster, Credentials } from "./cluster.ts";

/** Where the kubelet puts a pod's credentials. */
const serviceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

export interface LoadClusterOptions {
  readonly kubeconfig?: string | undefined;
  /** Instead of the kubeconfig's current context. */
  readonly context?: string | undefined;
}

export interface LoadClusterDeps {
  /** The variables KUBECONFIG, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are read. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  readonly serviceAccountDirectory?: string;
}

/**
 * Finds the cluster: the kubeconfig of the options, else the pod's ServiceAccount, else the KUBECONFIG variable.
 * @throws Error that says what was tried
 */
export function loadCluster(options: LoadClusterOptions, deps: LoadClusterDeps = {}): Cluster {
  return describedCluster(findCluster(options, deps), deps.clock ?? systemClock);
}

function findCluster(options: LoadClusterOptions, deps: LoadClusterDeps): ClusterDescription {
  const env = deps.env ?? {};
  if (options.kubeconfig) return describeKubeconfig(options.kubeconfig, options.context);
  const directory = deps.serviceAccountDirectory ?? serviceAccountDirectory;
  if (existsSync(join(directory, "token"))) return describeServiceAccount(directory, env);
  if (env["KUBECONFIG"]) return describeKubeconfig(env["KUBECONFIG"], options.context);
  throw new Error(
    `Cannot find a cluster: no kubeconfig was given, "${join(directory, "token")}" does not exist (not in a pod), and KUBECONFIG is not set`,
  );
}

function describeServiceAccount(
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
): ClusterDescription {
  // Without the variables (a pod may turn them off only for other Services) the API's DNS name is in its certificate.
  const host = env["KUBERNETES_SERVICE_HOST"] || "kubernetes.default.svc";
  const port = env["KUBERNETES_SERVICE_PORT"] || "443";
  const namespaceFile = join(directory, "namespace");
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    currentNamespace: existsSync(namespaceFile) ? readFileSync(namespaceFile, "utf8").trim() : "default",
    source: `ServiceAccount in "${directory}"`,
    ca: { kind: "file", path: join(directory, "ca.crt") },
    tokenFile: join(directory, "token"),
  };
}
