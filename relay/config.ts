import { type FlagKind, parseBoolean, parseFlags, parsePort } from "../lib/process/flags.ts";
import type { LogLevel } from "../lib/process/log.ts";
import { type Endpoint, parseEndpoint } from "./nodes/agent.ts";
import type { Settings } from "./settings/settings.ts";

/** How the relay was started: what cannot change while it runs. */
export interface RelayConfig {
  /** 0 takes a free port. */
  readonly grpcPort: number;
  readonly httpPort: number;
  /** Agents from the command line. */
  readonly agents: readonly Endpoint[];
  /** Where to find agents by the Kubernetes API; undefined = nowhere. */
  readonly kubernetes: KubernetesDiscovery | undefined;
  /** A YAML file of settings, watched. */
  readonly configFile: string | undefined;
  /** A ConfigMap of settings, watched through the API. */
  readonly settingsConfigMap: { readonly namespace: string; readonly name: string } | undefined;
  /** What holds until a file or a ConfigMap says otherwise. */
  readonly settings: Settings;
  readonly logLevel: LogLevel;
}

export interface KubernetesDiscovery {
  /** Undefined = the service account of the pod. */
  readonly kubeconfig: string | undefined;
  /** Empty = all. */
  readonly namespaces: readonly string[];
  readonly selector: string;
  /** Undefined = the container port named `grpc`, else 32767. */
  readonly port: number | undefined;
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
  agents: "string",
  agentPort: "string",
  agentNamespaces: "string",
  agentSelector: "string",
  httpPort: "string",
  kubeconfig: "string",
  config: "string",
  settings: "string",
  logLevel: "string",
} as const satisfies Record<string, FlagKind>;

type Flag = keyof typeof flags;
type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the command line and the environment, and names every problem at once. */
export function parseConfig(argv: readonly string[], env: Environment): ParsedConfig {
  const parsed = parseFlags(argv, flags);
  const errors = [...parsed.errors];
  const value = (flag: Flag): string | undefined => parsed.values.get(flag);
  const refuse = (flag: Flag, wanted: string): void => {
    errors.push(`Flag -${flag} is "${value(flag) ?? ""}", it must be ${wanted}`);
  };
  const port = (flag: Flag, fallback: number): number => {
    const text = value(flag);
    const read = text === undefined ? fallback : parsePort(text);
    if (read === undefined) refuse(flag, "a port from 0 to 65535");
    return read ?? fallback;
  };

  for (const extra of parsed.positional) errors.push(`Argument "${extra}" is not understood: only flags are`);
  const tlsEnabled = parseBoolean(value("tlsEnabled") ?? "false");
  if (tlsEnabled === undefined) refuse("tlsEnabled", "true or false");
  if (tlsEnabled === true) {
    errors.push("Flag -tlsEnabled is true, but this version serves no TLS: it will not serve plaintext instead");
  }

  const agents: Endpoint[] = [];
  for (const text of list(value("agents"))) {
    const endpoint = parseEndpoint(text);
    if (endpoint === undefined) errors.push(`Flag -agents has "${text}", every agent must be host:port`);
    else agents.push(endpoint);
  }

  const kubeconfig = value("kubeconfig") ?? (agents.length === 0 ? env["KUBECONFIG"] : undefined);
  const isInCluster = env["KUBERNETES_SERVICE_HOST"] !== undefined;
  if (kubeconfig === undefined && !isInCluster && value("agents") === undefined) {
    errors.push("Cannot find agents: not in a cluster, and neither -kubeconfig nor -agents is set");
  }
  const agentPort = port("agentPort", 0);

  const settingsText = value("settings");
  const [namespace, name, ...rest] = settingsText?.split("/") ?? [];
  const isNamed = namespace !== undefined && namespace !== "" && name !== undefined && name !== "" && rest.length === 0;
  if (settingsText !== undefined && !isNamed) refuse("settings", "the NAMESPACE/NAME of a ConfigMap");

  const logLevel = value("logLevel") ?? "info";
  if (!isLogLevel(logLevel)) refuse("logLevel", "error, warn, info or debug");

  const config: RelayConfig = {
    grpcPort: port("gRPCPort", 32_767),
    httpPort: port("httpPort", 8080),
    agents,
    kubernetes:
      kubeconfig === undefined && !isInCluster
        ? undefined
        : {
            kubeconfig,
            namespaces: list(value("agentNamespaces")),
            selector: value("agentSelector") ?? "kubearmor-app=kubearmor",
            port: agentPort === 0 ? undefined : agentPort,
          },
    configFile: value("config"),
    settingsConfigMap: isNamed ? { namespace, name } : undefined,
    settings: {
      stdout: {
        alerts: isOn(env["ENABLE_STDOUT_ALERTS"]),
        logs: isOn(env["ENABLE_STDOUT_LOGS"]),
        messages: isOn(env["ENABLE_STDOUT_MSGS"]),
      },
    },
    logLevel: isLogLevel(logLevel) ? logLevel : "info",
  };
  return errors.length > 0 ? { kind: "refused", errors } : { kind: "config", config, warnings: parsed.warnings };
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

function isLogLevel(text: string): text is LogLevel {
  return text === "error" || text === "warn" || text === "info" || text === "debug";
}
