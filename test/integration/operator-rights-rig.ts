import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { loadCluster } from "../../lib/kube/credentials.ts";
import { clusterRoleBindings, clusterRoles } from "../../lib/kube/resources.ts";
import type { KubeClient, KubeObject } from "../../lib/kube/types.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { type Log, silentLog } from "../../lib/process/log.ts";
import { type Operator, type OperatorOptions, startOperator } from "../../operator/operator.ts";
import { type Permission, heldVerbs } from "../../operator/permissions.ts";

/** A request as the server's authorizer sees it. */
export interface Use {
  readonly verb: string;
  readonly group: string;
  /** With its subresource: `kubearmorrelays/status`. */
  readonly resource: string;
  /** Undefined for a request of the whole cluster. */
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly code: number;
}

interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly impersonatedUser?: { readonly username: string };
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
}

/** Every request of this user so far, from the API server's audit log. */
export async function usesOf(auditLog: string, user: string): Promise<readonly Use[]> {
  const lines = (await readFile(auditLog, "utf8")).split("\n");
  return lines
    .filter((line) => line.includes(user) && line.endsWith("}"))
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter((event) => (event.impersonatedUser ?? event.user).username === user)
    .map(({ verb, requestURI, objectRef, responseStatus }) => {
      const { apiGroup = "", resource = requestURI, subresource, namespace, name } = objectRef ?? {};
      return {
        verb,
        group: apiGroup,
        resource: subresource === undefined ? resource : `${resource}/${subresource}`,
        namespace,
        name,
        code: responseStatus?.code ?? 0,
      };
    });
}

/** Of a role that allows exactly this, for objects of any name. */
function rulesOf(permissions: readonly Permission[]): readonly object[] {
  return permissions
    .filter((permission) => heldVerbs(permission).length > 0)
    .map((permission) => ({
      apiGroups: [permission.group],
      resources: [permission.resource],
      verbs: heldVerbs(permission),
    }));
}

/** Gives a user exactly these rights in the cluster, instead of those given before. */
export async function grant(admin: KubeClient, user: string, permissions: readonly Permission[]): Promise<void> {
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const group = "rbac.authorization.k8s.io";
  const options = { fieldManager: "test", force: true };
  const metadata = { name: user };
  const role: KubeObject = { apiVersion, kind: "ClusterRole", metadata, rules: rulesOf(permissions) };
  await admin.apply(clusterRoles, role, options);
  const binding: KubeObject = {
    apiVersion,
    kind: "ClusterRoleBinding",
    metadata,
    roleRef: { apiGroup: group, kind: "ClusterRole", name: user },
    subjects: [{ apiGroup: group, kind: "User", name: user }],
  };
  await admin.apply(clusterRoleBindings, binding, options);
}

/** The administrator playing this user. */
export async function kubeconfigOf(kubeconfig: string, user: string): Promise<string> {
  const config = parse(await readFile(kubeconfig, "utf8")) as { users: { user: Record<string, unknown> }[] };
  const users = config.users.map((each) => ({ ...each, user: { ...each.user, as: user } }));
  // A colon would separate two files.
  const path = join(dirname(kubeconfig), `${user.replaceAll(":", "-")}.kubeconfig`);
  await writeFile(path, stringify({ ...config, users }));
  return path;
}

/** In this process, as this user. */
export async function startAs(
  kubeconfig: string,
  user: string,
  options: Partial<OperatorOptions>,
  log: Log = silentLog,
): Promise<Operator> {
  const cluster = loadCluster({ kubeconfig: await kubeconfigOf(kubeconfig, user) });
  return await startOperator(
    {
      namespaces: [],
      httpPort: 0,
      relayImage: "localhost/relay:test",
      leaderElect: false,
      leaseNamespace: undefined,
      concurrency: 4,
      ...options,
    },
    { cluster, clock: systemClock, random: Math.random, log },
  );
}
