import { createHash } from "node:crypto";
import { parseDocument } from "yaml";
import { type LogLevel, errorText, isLogLevel, logLevels } from "../../lib/process/log.ts";
import { type FeedId, feeds } from "../feeds.ts";
import { SettingsReader } from "./settings-reader.ts";

/** What can change while the relay runs, with no restart and no stream reset. */
export interface Settings {
  /** Which feeds are printed. */
  readonly stdout: Readonly<Record<FeedId, boolean>>;
  /** For events whose cluster name is empty or `default`; empty = they stay as they are. */
  readonly clusterName: string;
  readonly enrichment: {
    /** Name the pod or Service behind an address. Needs a cluster. */
    readonly remoteHost: boolean;
  };
  readonly limits: Limits;
  /** Agents found in the cluster. */
  readonly agents: AgentSettings;
  readonly logLevel: LogLevel;
}

export interface Limits {
  /** Streams of events that are served at a time. */
  readonly maxSubscribers: number;
  /** What may wait for one subscriber. */
  readonly mailboxBytes: number;
  /** What may wait for all consumers together. */
  readonly bufferBytes: number;
}

export interface AgentSettings {
  /** Sorted; empty = all. */
  readonly namespaces: readonly string[];
  readonly selector: string;
  /** Undefined = each pod's port named `grpc`, else 32767. */
  readonly port: number | undefined;
}

/** Without flags and environment. */
export const defaultSettings: Settings = {
  stdout: { alerts: false, logs: false, messages: false },
  clusterName: "",
  enrichment: { remoteHost: true },
  limits: { maxSubscribers: 200, mailboxBytes: 8 * 1024 ** 2, bufferBytes: 128 * 1024 ** 2 },
  agents: { namespaces: [], selector: "kubearmor-app=kubearmor", port: undefined },
  logLevel: "info",
};

export type ParsedSettings =
  | { readonly kind: "settings"; readonly settings: Settings }
  | { readonly kind: "refused"; readonly errors: readonly string[] };

/** Reads settings in YAML. What is not said stays as in `base`. A document with any error changes nothing. */
export function parseSettings(text: string, base: Settings): ParsedSettings {
  const document = parseDocument(text);
  if (document.errors.length > 0) return { kind: "refused", errors: document.errors.map((error) => error.message) };
  const errors: string[] = [];
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // Aliases of nothing, or so many that the value would fill the memory.
    return { kind: "refused", errors: [errorText(error)] };
  }
  const root = new SettingsReader(value, "", errors);
  const stdout = root.section("stdout");
  const enrichment = root.section("enrichment");
  const limits = root.section("limits");
  const agents = root.section("agents");
  const settings: Settings = {
    stdout: Object.fromEntries(feeds.map(({ id }) => [id, stdout.boolean(id) ?? base.stdout[id]])) as Record<
      FeedId,
      boolean
    >,
    clusterName: root.name("clusterName") ?? base.clusterName,
    enrichment: { remoteHost: enrichment.boolean("remoteHost") ?? base.enrichment.remoteHost },
    limits: {
      maxSubscribers: limits.integer("maxSubscribers", bounds.maxSubscribers) ?? base.limits.maxSubscribers,
      mailboxBytes: limits.bytes("mailboxBytes", bounds.mailboxBytes) ?? base.limits.mailboxBytes,
      bufferBytes: limits.bytes("bufferBytes", bounds.bufferBytes) ?? base.limits.bufferBytes,
    },
    agents: {
      namespaces: agents.namespaces("namespaces") ?? base.agents.namespaces,
      selector: agents.selector("selector") ?? base.agents.selector,
      port: agents.integer("port", { min: 1, max: 65_535 }) ?? base.agents.port,
    },
    logLevel: root.oneOf("logLevel", logLevels, isLogLevel) ?? base.logLevel,
  };
  for (const section of [root, stdout, enrichment, limits, agents]) section.refuseUnread();
  return errors.length > 0 ? { kind: "refused", errors } : { kind: "settings", settings };
}

/** The same as in the CRD: the operator hands on what it accepts. */
export const bounds = {
  /** Below the number of calls that are served, so that other calls have room. */
  maxSubscribers: { min: 1, max: 4_000 },
  /** From a page of the hub, below which nothing works, to what one process can hold. */
  mailboxBytes: { min: 64 * 1024, max: 16 * 1024 ** 3 },
  /** From room for a few events of the largest size. */
  bufferBytes: { min: 16 * 1024 ** 2, max: 16 * 1024 ** 3 },
} as const;

/** Tells settings apart: the same text for the same settings, wherever they came from. */
export function settingsHash(settings: Settings): string {
  return createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 12);
}
