import { readFileSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { delimiter, dirname, resolve } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { parse } from "yaml";
import type { ClusterDescription, Pem, PluginAnswer, RequestHeaders } from "./cluster.ts";
import { type Impersonation, impersonationHeaders } from "./impersonation.ts";

/**
 * Reads kubeconfig files.
 * @param paths one file, or several joined as in the KUBECONFIG variable: of entries with one name the first wins
 * @throws Error that names the files and what is missing in them
 */
export function describeKubeconfig(paths: string, context: string | undefined): ClusterDescription {
  const config = loadFiles(paths, context);
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  const inContext = `context "${config.getCurrentContext()}" of "${paths}"`;
  if (cluster === null) throw new Error(`Cannot use ${inContext}: it names no cluster that is defined there`);
  if (cluster.proxyUrl !== undefined && !/^https?:/.test(cluster.proxyUrl)) {
    throw new Error(`Cannot use ${inContext}: proxy-url must be http or https, is "${cluster.proxyUrl}"`);
  }
  const entry = user === null ? undefined : userEntry(paths, user.name);
  const headers: Record<string, string | readonly string[]> = { ...impersonationOf(entry, inContext) };
  if (user?.token) headers["authorization"] = `Bearer ${user.token.trim()}`;
  else if (user?.username) headers["authorization"] = basic(user.username, user.password ?? "");
  const hasPlugin = Boolean(user?.exec) || Boolean(user?.authProvider);
  return {
    server: cluster.server.replace(/\/+$/, ""),
    currentNamespace: config.getContextObject(config.getCurrentContext())?.namespace ?? "default",
    source: inContext,
    proxyUrl: cluster.proxyUrl,
    ca: pem(cluster.caData, cluster.caFile),
    cert: pem(user?.certData, user?.certFile),
    key: pem(user?.keyData, user?.keyFile),
    servername: cluster.tlsServerName,
    insecure: cluster.skipTLSVerify,
    headers,
    tokenFile: entry?.user.tokenFile === undefined ? undefined : resolve(dirname(entry.path), entry.user.tokenFile),
    plugin: hasPlugin ? plugin(config, () => loadFiles(paths, context)) : undefined,
  };
}

function loadFiles(paths: string, context: string | undefined): KubeConfig {
  const merged = new KubeConfig();
  for (const path of paths.split(delimiter).filter((part) => part !== "")) {
    const config = new KubeConfig();
    try {
      config.loadFromFile(path);
    } catch (cause) {
      throw new Error(`Cannot read the kubeconfig "${path}"`, { cause });
    }
    merged.clusters.push(...config.clusters.filter((cluster) => merged.getCluster(cluster.name) === null));
    merged.users.push(...config.users.filter((user) => merged.getUser(user.name) === null));
    merged.contexts.push(...config.contexts.filter((entry) => merged.getContextObject(entry.name) === null));
    merged.currentContext ??= config.currentContext;
  }
  if (context !== undefined) merged.setCurrentContext(context);
  if (merged.getContextObject(merged.getCurrentContext()) === null) {
    throw new Error(`Cannot find the context "${merged.getCurrentContext()}" in "${paths}"`);
  }
  return merged;
}

/** What KubeConfig 2.0.1 does not read of a user: `tokenFile`, of which it wants another spelling, and all but the name of whom to play. */
function userEntry(paths: string, userName: string): UserEntry | undefined {
  for (const path of paths.split(delimiter).filter((part) => part !== "")) {
    const file = parse(readFileSync(path, "utf8")) as KubeconfigFile | null;
    const entry = file?.users?.find((candidate) => candidate.name === userName);
    if (entry !== undefined) return { path, user: entry.user ?? {} };
  }
  return undefined;
}

function impersonationOf(entry: UserEntry | undefined, inContext: string): RequestHeaders {
  try {
    return impersonationHeaders(entry?.user ?? {});
  } catch (cause) {
    throw new Error(`Cannot use the user of ${inContext}`, { cause });
  }
}

interface UserEntry {
  /** Of the file that has it. */
  readonly path: string;
  readonly user: Impersonation & { readonly tokenFile?: string };
}

interface KubeconfigFile {
  readonly users?: readonly { readonly name?: string; readonly user?: UserEntry["user"] | null }[];
}

function plugin(first: KubeConfig, reload: () => KubeConfig): (fresh: boolean) => Promise<PluginAnswer> {
  let config = first;
  return async (fresh) => {
    // A plugin's answer is cached inside of its KubeConfig until it expires, so a refused one goes with its cache.
    if (fresh) config = reload();
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value);
    return { headers, cert: text(options.cert), key: text(options.key) };
  };
}

function pem(data: string | undefined, path: string | undefined): Pem | undefined {
  if (data) return { kind: "text", text: Buffer.from(data, "base64").toString("utf8") };
  return path ? { kind: "file", path } : undefined;
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function text(value: unknown): string | undefined {
  if (Buffer.isBuffer(value)) return value.toString("utf8");
  return typeof value === "string" ? value : undefined;
}
