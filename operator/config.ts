import { type ElectionTimes, defaultElectionTimes, problemOfTimes } from "../lib/kube/lease.ts";
import { type FlagKind, parseBoolean, parseDuration, parseFlags, parsePort } from "../lib/process/flags.ts";
import type { LogLevel } from "../lib/process/log.ts";

export interface OperatorConfig {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** Whose relays are watched; empty: those of all namespaces. */
  readonly namespaces: readonly string[];
  /** Whether anything outside of these namespaces may be asked for, and of the Lease's. */
  readonly clusterRights: boolean;
  /** Port of livez, readyz and metrics; 0 takes a free one. */
  readonly httpPort: number;
  /** Image for relays whose spec names none. */
  readonly relayImage: string;
  readonly leaderElect: boolean;
  /** Namespace of the Lease; undefined: the operator's own. */
  readonly leaseNamespace: string | undefined;
  readonly leaseTimes: ElectionTimes;
  /** Relays that are worked on at once. */
  readonly concurrency: number;
  readonly logLevel: LogLevel;
  /** Write nothing, and log what would be written. */
  readonly dryRun: boolean;
}

export type ParsedConfig =
  | { readonly kind: "valid"; readonly config: OperatorConfig; readonly warnings: readonly string[] }
  | { readonly kind: "invalid"; readonly errors: readonly string[] };

export type Environment = Readonly<Record<string, string | undefined>>;

/** The name that `make images` gives to the relay built from this tree. */
export const developmentRelayImage = "localhost/kubearmor-relay:dev";

const flags: Readonly<Record<string, FlagKind>> = {
  kubeconfig: "string",
  context: "string",
  namespace: "string",
  namespaces: "string",
  "cluster-rights": "boolean",
  "http-port": "string",
  "relay-image": "string",
  "leader-elect": "boolean",
  "leader-elect-namespace": "string",
  "leader-elect-lease-duration": "string",
  "leader-elect-renew-deadline": "string",
  "leader-elect-retry-period": "string",
  concurrency: "string",
  "log-level": "string",
  "dry-run": "boolean",
};

const logLevels: readonly LogLevel[] = ["error", "warn", "info", "debug"];

/** Command line over environment over defaults; every mistake is named at once. */
export function parseConfig(argv: readonly string[], env: Environment): ParsedConfig {
  const { values, positional, warnings, errors } = parseFlags(argv, flags);
  const mistakes = [...errors, ...positional.map((argument) => `Unexpected argument "${argument}"`)];
  const read = <T>(name: string, fallback: T, parse: (text: string) => T | undefined, wanted: string): T => {
    const text = values.get(name);
    if (text === undefined) return fallback;
    const value = parse(text);
    if (value === undefined) mistakes.push(`Flag -${name} must be ${wanted}: it is "${text}"`);
    return value ?? fallback;
  };
  const kubeconfig = values.get("kubeconfig");
  // Outside of a pod the operator is run by hand, and alone.
  const inCluster = kubeconfig === undefined && Boolean(env["KUBERNETES_SERVICE_HOST"]);
  const namespaces = values.get("namespaces") ?? values.get("namespace") ?? env["WATCH_NAMESPACES"] ?? "";
  const time = (name: string, fallbackMs: number) => read(name, fallbackMs, parseDuration, "a duration such as 15s");
  const config: OperatorConfig = {
    kubeconfig,
    context: values.get("context"),
    namespaces: splitList(namespaces),
    clusterRights: read("cluster-rights", true, parseBoolean, "true or false"),
    httpPort: read("http-port", 8081, parsePort, "a port"),
    relayImage: values.get("relay-image") ?? developmentRelayImage,
    leaderElect: read("leader-elect", inCluster, parseBoolean, "true or false"),
    leaseNamespace: values.get("leader-elect-namespace"),
    leaseTimes: {
      leaseDurationMs: time("leader-elect-lease-duration", defaultElectionTimes.leaseDurationMs),
      renewDeadlineMs: time("leader-elect-renew-deadline", defaultElectionTimes.renewDeadlineMs),
      retryPeriodMs: time("leader-elect-retry-period", defaultElectionTimes.retryPeriodMs),
    },
    concurrency: read("concurrency", 4, parseCount, "a number from 1 to 100"),
    dryRun: read("dry-run", false, parseBoolean, "true or false"),
    logLevel: read("log-level", "info", parseLevel, `one of ${logLevels.join(", ")}`),
  };
  const problem = problemOfTimes(config.leaseTimes);
  if (problem !== undefined) mistakes.push(`Flags -leader-elect-*: ${problem}`);
  if (!config.clusterRights && config.namespaces.length === 0)
    mistakes.push(
      "Flag -cluster-rights is false: -namespaces (or WATCH_NAMESPACES) must name where there are rights, and is empty",
    );
  return mistakes.length === 0 ? { kind: "valid", config, warnings } : { kind: "invalid", errors: mistakes };
}

function splitList(text: string): readonly string[] {
  const parts = text.split(",").map((part) => part.trim());
  return [...new Set(parts.filter((part) => part !== ""))];
}

function parseCount(text: string): number | undefined {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= 100 ? count : undefined;
}

function parseLevel(text: string): LogLevel | undefined {
  return logLevels.find((level) => level === text);
}

/** The one place where the operator reads its environment. */
export function readEnvironment(): Environment {
  return process.env;
}
