import { type FlagKind, parseBoolean, parseFlags, parsePort } from "../lib/process/flags.ts";
import { isLogLevel, logLevels } from "../lib/process/log.ts";
import { type Endpoint, parseEndpoint } from "./nodes/agent.ts";
import { isNamespace, isSelector, sortedNamespaces } from "./settings/settings-reader.ts";
import { defaultSettings, type Settings } from "./settings/settings.ts";

/** How the relay was started: what cannot change while it runs. */
export interface RelayConfig {
  /** 0 takes a free port. */
  readonly grpcPort: number;
  readonly httpPort: number;
  /** Agents from the command line. */
  readonly agents: readonly Endpoint[];
  /** The cluster's API, for all that needs it; undefined = there is none. */
  readonly cluster: ClusterConfig | undefined;
  /** Whether agents are looked for among the cluster's pods. */
  readonly discoversPods: boolean;
  /** A YAML file of settings, watched. */
  readonly configFile: string | undefined;
  /** A ConfigMap of settings, watched through the API. */
  readonly settingsConfigMap: NamespacedName | undefined;
  /** Of the replicas that share this Lease, the one that holds it prints; undefined = this one always does. */
  readonly lease: NamespacedName | undefined;
  /** Whose status this process reports to, and as which pod; undefined = it does not. */
  readonly report: ReportConfig | undefined;
  /** What this process calls itself in the Lease, before a random part; undefined = its host's name. */
  readonly identity: string | undefined;
  /** What holds until a file or a ConfigMap says otherwise. */
  readonly settings: Settings;
}

export interface ClusterConfig {
  /** Undefined = the service account of the pod. */
  readonly kubeconfig: string | undefined;
  /** Whether it was asked for: otherwise the relay does without it, and without what it would add. */
  readonly isNeeded: boolean;
}

export interface ReportConfig {
  /** A KubeArmorRelay. */
  readonly relay: NamespacedName;
  readonly pod: string;
}

export interface NamespacedName {
  readonly namespace: string;
  readonly name: string;
}

export type ParsedConfig =
  | { readonly kind: "config"; readonly config: RelayConfig; readonly warnings: readonly string[] }
  | { readonly kind: "refused"; readonly errors: readonly string[] };

/** The upstream relay's flags, then ours. */
const flags = {
  gRPCPort: "string",
  tlsEnabled: "boolean",
  tlsCertPath: "string",
  tlsCertProvider: "string",
  discovery: "string",
  agents: "string",
  agentPort: "string",
  agentNamespaces: "string",
  agentSelector: "string",
  httpPort: "string",
  kubeconfig: "string",
  config: "string",
  settings: "string",
  lease: "string",
  identity: "string",
  report: "string",
  logLevel: "string",
} as const satisfies Record<string, FlagKind>;

type Flag = keyof typeof flags;
type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the command line and the environment, and names every problem at once. */
export function parseConfig(argv: readonly string[], env: Environment): ParsedConfig {
  const parsed = parseFlags(argv, flags);
  const line: CommandLine = {
    value: (flag) => parsed.values.get(flag),
    errors: [...parsed.errors],
    warnings: [...parsed.warnings],
  };
  for (const extra of parsed.positional) line.errors.push(`Argument "${extra}" is not understood: only flags are`);
  readTls(line);
  const config: RelayConfig = {
    grpcPort: readPort(line, "gRPCPort") ?? 32_767,
    httpPort: readPort(line, "httpPort") ?? 8080,
    ...readDiscovery(line, env),
    configFile: line.value("config"),
    settingsConfigMap: readNamespacedName(line, "settings", "a ConfigMap"),
    lease: readNamespacedName(line, "lease", "a Lease"),
    identity: readText(line, "identity", "a name that no other replica has", (text) => text !== ""),
    report: readReport(line),
    settings: readSettings(line, env),
  };
  for (const flag of ["settings", "lease", "report"] as const) {
    if (line.value(flag) !== undefined && config.cluster === undefined)
      line.errors.push(`Flag -${flag} needs a cluster: in one, or with -kubeconfig`);
  }
  return line.errors.length > 0
    ? { kind: "refused", errors: line.errors }
    : { kind: "config", config, warnings: line.warnings };
}

/** The flags that were given, and what there is to say about them. */
interface CommandLine {
  readonly value: (flag: Flag) => string | undefined;
  readonly errors: string[];
  readonly warnings: string[];
}

function readTls({ value, errors, warnings }: CommandLine): void {
  const isEnabled = parseBoolean(value("tlsEnabled") ?? "false");
  if (isEnabled === undefined) refuse({ value, errors }, "tlsEnabled", "true or false");
  if (isEnabled === true) {
    errors.push("Flag -tlsEnabled is true, but this version serves no TLS: it will not serve plaintext instead");
  }
  for (const flag of ["tlsCertPath", "tlsCertProvider"] as const) {
    if (value(flag) !== undefined) warnings.push(`Flag -${flag} has no effect yet: this version serves no TLS`);
  }
}

/** Where agents come from: by default from every source there is. */
function readDiscovery(line: CommandLine, env: Environment): Pick<RelayConfig, "agents" | "cluster" | "discoversPods"> {
  const { value, errors } = line;
  const agents: Endpoint[] = [];
  for (const text of list(value("agents"))) {
    const endpoint = parseEndpoint(text);
    if (endpoint === undefined) errors.push(`Flag -agents has "${text}", every agent must be host:port`);
    else agents.push(endpoint);
  }
  const asked = readText(line, "discovery", "kubernetes, static or both with a comma", isDiscovery);
  const names = asked === undefined ? undefined : list(asked);
  const isAsked = names?.includes("kubernetes");
  // An environment that somebody uses kubectl in is no wish to read that cluster's pods besides the agents named.
  const fallback = isAsked === true || list(value("agents")).length === 0 ? env["KUBECONFIG"] : undefined;
  const kubeconfig = readText(line, "kubeconfig", "a file", (text) => text !== "") ?? (fallback || undefined);
  const hasCluster = kubeconfig !== undefined || env["KUBERNETES_SERVICE_HOST"] !== undefined;
  const discoversPods = isAsked ?? hasCluster;
  if (isAsked === true && !hasCluster) {
    errors.push("Cannot find agents by -discovery=kubernetes: not in a cluster, and -kubeconfig is not set");
  } else if (names?.includes("static") === true && list(value("agents")).length === 0) {
    errors.push("Cannot find agents by -discovery=static: -agents is not set");
  } else if (names !== undefined && !names.includes("static") && agents.length > 0) {
    errors.push("Flag -agents names agents that -discovery leaves out: add static to it");
  } else if (!discoversPods && list(value("agents")).length === 0) {
    errors.push("Cannot find agents: not in a cluster, and neither -kubeconfig nor -agents is set");
  }
  const isNeeded =
    agents.length === 0 ||
    isAsked === true ||
    kubeconfig !== undefined ||
    value("settings") !== undefined ||
    value("lease") !== undefined;
  return { agents, cluster: hasCluster ? { kubeconfig, isNeeded } : undefined, discoversPods };
}

function isDiscovery(text: string): boolean {
  const names = list(text);
  return names.length > 0 && names.every((name) => name === "kubernetes" || name === "static");
}

function readSettings(line: CommandLine, env: Environment): Settings {
  const agentPort = readPort(line, "agentPort") ?? 0;
  const level = readText(line, "logLevel", logLevels.join(", "), isLogLevel);
  const wanted = "names of namespaces with commas";
  const namespaces = readText(line, "agentNamespaces", wanted, (text) => list(text).every(isNamespace));
  return {
    ...defaultSettings,
    stdout: {
      alerts: isOn(env["ENABLE_STDOUT_ALERTS"]),
      logs: isOn(env["ENABLE_STDOUT_LOGS"]),
      messages: isOn(env["ENABLE_STDOUT_MSGS"]),
    },
    agents: {
      namespaces: sortedNamespaces(list(namespaces)),
      selector:
        readText(line, "agentSelector", "a label selector as key=value,…", isSelector) ??
        defaultSettings.agents.selector,
      port: agentPort === 0 ? undefined : agentPort,
    },
    logLevel: level !== undefined && isLogLevel(level) ? level : defaultSettings.logLevel,
  };
}

function readNamespacedName(line: CommandLine, flag: Flag, what: string): NamespacedName | undefined {
  const text = readText(line, flag, `the NAMESPACE/NAME of ${what}`, (one) => /^[^/]+\/[^/]+$/.test(one));
  const [namespace = "", name = ""] = text?.split("/") ?? [];
  return text === undefined ? undefined : { namespace, name };
}

/** The name of a pod, as the CRD takes it. https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
const podName = /^(?!.{254})[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function readReport(line: CommandLine): ReportConfig | undefined {
  const relay = readNamespacedName(line, "report", "a KubeArmorRelay");
  if (relay === undefined) return undefined;
  const pod = line.value("identity");
  if (pod !== undefined && podName.test(pod)) return { relay, pod };
  const value = pod === undefined ? "is not set" : `is "${pod}"`;
  line.errors.push(`Flag -identity ${value}, with -report it must be the name of the pod`);
  return undefined;
}

function readPort(line: CommandLine, flag: Flag): number | undefined {
  const text = readText(line, flag, "a port from 0 to 65535", (one) => parsePort(one) !== undefined);
  return text === undefined ? undefined : parsePort(text);
}

/** Undefined when the flag is not there, or is refused. */
function readText(
  line: CommandLine,
  flag: Flag,
  wanted: string,
  isValid: (text: string) => boolean,
): string | undefined {
  const text = line.value(flag);
  if (text === undefined || isValid(text)) return text;
  refuse(line, flag, wanted);
  return undefined;
}

function refuse({ value, errors }: Pick<CommandLine, "value" | "errors">, flag: Flag, wanted: string): void {
  errors.push(`Flag -${flag} is "${value(flag) ?? ""}", it must be ${wanted}`);
}

function list(text: string | undefined): readonly string[] {
  return (text ?? "")
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** As the upstream relay reads its switches: "true" in any case is on, everything else is off. */
function isOn(text: string | undefined): boolean {
  return text?.toLowerCase() === "true";
}
