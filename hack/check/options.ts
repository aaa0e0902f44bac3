import { readFileSync } from "node:fs";
import type { AgentCounts } from "../agents/agent.ts";
import type { FeedName } from "../agents/contract.ts";
import { feedNames } from "../agents/contract.ts";
import type { Flag, Flags } from "../agents/flags.ts";
import type { CheckerOptions } from "./checker.ts";
import type { Expectations } from "./verdict.ts";

export const checkFlags: Readonly<Record<string, Flag>> = {
  address: { value: "HOST:PORT", about: "of an agent or a relay" },
  stdin: { about: "check JSON lines on stdin instead, e.g. a relay's log, until its end" },
  feeds: { value: "LIST", default: feedNames.join(","), about: "streams to open" },
  filter: { value: "TEXT", default: "all", about: "sent with each subscription" },
  duration: { value: "SECONDS", about: "to go on; without it until --events or SIGTERM" },
  events: { value: "N", about: "to get: ends when they are there, fails when they are not" },
  "expect-agents": { value: "N", default: "0", about: "to hear of at least" },
  "allow-loss": { value: "N", default: "0", about: "events" },
  reconnect: { about: "open streams again that end, and do not call their end a failure" },
  "agents-report": { value: "FILE", about: "output of hack/agents: what they sent must have come" },
  "decode-every": { value: "N", default: "1", about: "decode each n-th event in full" },
  sequences: { about: "list all sequences in the report, not only those with faults" },
  help: { about: "print this" },
};

export interface CheckConfig {
  readonly source: { readonly kind: "address"; readonly address: string } | { readonly kind: "stdin" };
  readonly checker: CheckerOptions;
  readonly durationMs: number | undefined;
  readonly events: number | undefined;
  readonly expectations: Expectations;
  /** Read at the end: the agents may still be writing it. */
  readonly agentsReport: string | undefined;
  readonly allSequences: boolean;
}

/** @throws RangeError with a text for the user */
export function checkConfig(flags: Flags): CheckConfig {
  const address = flags.text("address");
  if ((address === undefined) !== flags.is("stdin")) {
    throw new RangeError("Cannot tell what to check: give either --address or --stdin");
  }
  const duration = flags.number("duration");
  const events = flags.whole("events");
  const reconnect = flags.is("reconnect");
  return {
    source: address === undefined ? { kind: "stdin" } : { kind: "address", address },
    checker: {
      feeds: (flags.text("feeds") ?? "").split(",").map(parseFeed),
      filter: flags.text("filter") ?? "all",
      decodeEvery: Math.max(1, flags.whole("decode-every") ?? 1),
      reconnect,
    },
    durationMs: duration === undefined ? undefined : duration * 1000,
    events,
    expectations: {
      allowLoss: flags.whole("allow-loss") ?? 0,
      minEvents: events ?? 0,
      minAgents: flags.whole("expect-agents") ?? 0,
      allowEnds: reconnect,
    },
    agentsReport: flags.text("agents-report"),
    allSequences: flags.is("sequences"),
  };
}

function parseFeed(text: string): FeedName {
  const feed = feedNames.find((name) => name === text);
  if (feed === undefined) throw new RangeError(`Cannot use feed "${text}": must be one of ${feedNames.join(", ")}`);
  return feed;
}

/** The counts in the last report of the agents' output. @throws when there is none */
export function readAgentCounts(path: string): readonly AgentCounts[] {
  const reports = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.startsWith('{"kind":"report"'));
  const last = reports.at(-1);
  if (last === undefined) throw new Error(`Cannot find a report of agents in ${path}`);
  return (JSON.parse(last) as { readonly agents: readonly AgentCounts[] }).agents;
}
