import path from "node:path";
import { parseArgs } from "node:util";
import { nodeFlags, startEnv } from "../../hack/bundle-start.ts";
import type { Environment } from "./child.ts";
import { defaultRows, parseRow, type Row } from "./rows.ts";

export interface BenchConfig {
  readonly rows: readonly Row[];
  readonly windowMs: number;
  readonly warmUpMs: number;
  readonly overloadMs: number;
  /** Measure each row without any relay, too. */
  readonly floor: boolean;
  /** Measure each row through this project's relay. */
  readonly ours: boolean;
  /** The relay's entry file; undefined = a bundle of it as it is now. */
  readonly entry: string | undefined;
  /** How it is started. */
  readonly nodeFlags: readonly string[];
  readonly relayEnv: Environment;
  /** Another relay's binary to compare with. */
  readonly peer: string | undefined;
  readonly feed: BenchFeed;
  /** Use the loopback interface even where network namespaces are possible. */
  readonly loopback: boolean;
  /** Undefined = the first and the second core this process may use. */
  readonly relayCore: number | undefined;
  readonly loadCore: number | undefined;
  /** Shortest time between two rounds of making events: what is due in between is sent together. */
  readonly tickUs: number;
  /** Priority of the relay and of the load, as `nice` takes it. */
  readonly nice: number;
  readonly cache: string;
  readonly env: Environment;
}

/** What is sent, and how it is asked for. */
export interface BenchFeed {
  readonly path: string;
  readonly filter: string;
  /** Name of the golden event. */
  readonly event: string;
  /** The environment variable that makes a relay print it. */
  readonly stdoutVariable: string;
}

const feeds: Readonly<Record<string, BenchFeed>> = {
  alerts: {
    path: "/feeder.LogService/WatchAlerts",
    filter: "policy",
    event: "real/alert-capability-block",
    stdoutVariable: "ENABLE_STDOUT_ALERTS",
  },
  logs: {
    path: "/feeder.LogService/WatchLogs",
    filter: "system",
    event: "real/log-file-open",
    stdoutVariable: "ENABLE_STDOUT_LOGS",
  },
};

export const usage = `node test/bench/main.ts [options] [ROW…]

ROW is AGENTS>SUBSCRIBERS@RATE, RATE in events/s of all agents together:
  50>10@20k, 1>1@500, 10>1@max (as fast as they can)
  1>stdout@20k       the relay prints to a pipe, whose reader checks the lines
  1>1@100k*5000      one burst of 5,000 events at that rate
  1>1@1k~500ms       the agents' listeners and connections vanish for 500 ms
  500>50@10k!        every subscriber but one is slow or does not read
Default: the table of docs/benchmarks.md.

  --rows "ROW …"     the same as ROW…
  --seconds N        measured window of each row (8)
  --overload N       the same, of rows with an overload (60)
  --warm-up N        seconds before it (2)
  --no-floor         do not measure the load without any relay
  --no-ours          do not measure this project's relay (only the floor and the peer)
  --sources          measure the sources instead of a bundle that is started as the image does
  --node-flags=TEXT  start it with these flags of Node instead
  --entry FILE       measure another entry file
  --feed NAME        alerts (default) or logs
  --loopback         do not use network namespaces (they need root)
  --relay-core N     core of the relay (the first)
  --load-core N      core of the load (the second)
  --tick-us N        agents make the events of so many microseconds together (1000)
  --nice=-N          run relay and load at that priority, where other jobs share the cores (0; needs root)

PEER=/path/to/kubearmor-relay-server measures that binary in the same run and prints the ratios (root only).`;

/** @throws {Error} that says what is wrong with the arguments */
export function readConfig(args: readonly string[], env: NodeJS.ProcessEnv): BenchConfig {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    allowNegative: true,
    options: {
      rows: { type: "string", default: "" },
      seconds: { type: "string", default: "8" },
      overload: { type: "string", default: "60" },
      "node-flags": { type: "string" },
      "warm-up": { type: "string", default: "2" },
      floor: { type: "boolean", default: true },
      ours: { type: "boolean", default: true },
      sources: { type: "boolean", default: false },
      entry: { type: "string" },
      feed: { type: "string", default: "alerts" },
      loopback: { type: "boolean", default: false },
      "relay-core": { type: "string" },
      "load-core": { type: "string" },
      "tick-us": { type: "string", default: "1000" },
      nice: { type: "string", default: "0" },
    },
  });
  const rows = [...values.rows.split(/[\s,]+/u), ...positionals].filter((text) => text !== "").map(parseRow);
  const feed = Object.hasOwn(feeds, values.feed) ? feeds[values.feed] : undefined;
  if (feed === undefined) {
    throw new RangeError(`Cannot send the feed '${values.feed}': one of ${Object.keys(feeds).join(", ")} is wanted`);
  }
  const sources = values.sources ? path.resolve(import.meta.dirname, "../../relay/main.ts") : undefined;
  const entry = values.entry ?? sources;
  const home = env["HOME"] ?? "/";
  return {
    rows: rows.length === 0 ? defaultRows : rows,
    windowMs: number(values.seconds, "seconds") * 1000,
    warmUpMs: number(values["warm-up"], "warm-up") * 1000,
    overloadMs: number(values.overload, "overload") * 1000,
    floor: values.floor,
    ours: values.ours,
    entry,
    nodeFlags:
      values["node-flags"]?.split(/\s+/u).filter((flag) => flag !== "") ?? (entry === undefined ? nodeFlags : []),
    relayEnv: entry === undefined ? startEnv : {},
    peer: env["PEER"] === "" ? undefined : env["PEER"],
    feed,
    loopback: values.loopback,
    relayCore: optional(values["relay-core"], "relay-core"),
    loadCore: optional(values["load-core"], "load-core"),
    tickUs: number(values["tick-us"], "tick-us"),
    nice: -number(values.nice.replace(/^-/u, ""), "nice"),
    cache: path.join(env["XDG_CACHE_HOME"] ?? path.join(home, ".cache"), "kubearmor-relay"),
    // Nothing else: a KUBECONFIG of the user's would make the relay look for agents in a cluster.
    env: { PATH: env["PATH"] ?? "/usr/bin:/bin", HOME: home },
  };
}

function optional(text: string | undefined, name: string): number | undefined {
  return text === undefined ? undefined : number(text, name);
}

function number(text: string, name: string): number {
  const value = Number(text);
  if (text === "" || !(value >= 0))
    throw new RangeError(`Cannot read --${name}: current value is '${text}', a number is wanted`);
  return value;
}
