import { type FeedId, feeds } from "../feeds.ts";
import { type ConsumerCounts, type DropReason, dropReasons } from "../hub/counts.ts";

/** What one relay pod says of itself in `status.relays` of its KubeArmorRelay. */
export interface RelayEntry {
  /** The key of the list. */
  readonly pod: string;
  readonly version: string;
  /** `textHash` of the text of settings in force; absent while no text is. */
  readonly settings?: string;
  /** Feeds that are printed, as `alerts,logs`, or `none`. */
  readonly stdout: string;
  readonly agents: AgentCounts;
  readonly loss: LossCounts;
  /** Absent when there is none. */
  readonly problem?: string;
}

export interface AgentCounts {
  /** Known, by discovery or by name. */
  readonly seen: number;
  /** Of them those whose events come, all of them. */
  readonly connected: number;
}

export interface LossCounts {
  /** Events received that a consumer did not get because of the relay, counted for each consumer. */
  readonly dropped: number;
  /** Times in which the stream of a feed of an agent was not open after it had been. */
  readonly gaps: number;
}

export interface RelayFacts {
  readonly pod: string;
  readonly version: string;
  /** Undefined while no text of settings is in force. */
  readonly settings: string | undefined;
  /** Feeds that are printed now. */
  readonly printed: readonly FeedId[];
  readonly agents: AgentCounts;
  readonly loss: LossCounts;
  /** A sentence each. */
  readonly problems: readonly string[];
}

/** The bound of the CRD, which counts as here: code points. */
const maxProblemLength = 1024;

export function makeEntry({ pod, version, settings, printed, agents, loss, problems }: RelayFacts): RelayEntry {
  const names = feeds.map(({ id }) => id).filter((id) => printed.includes(id));
  return {
    pod,
    version,
    ...(settings === undefined ? {} : { settings }),
    stdout: names.length === 0 ? "none" : names.join(","),
    agents,
    loss,
    ...(problems.length === 0 ? {} : { problem: bounded([...new Set(problems)].join("; ")) }),
  };
}

/** Drops that are the relay's, and not those of a client that went away with events still waiting for it. */
const relaysDrops: readonly DropReason[] = dropReasons.filter((reason) => reason !== "disconnected");

export interface FeedLosses {
  readonly subscribers: Pick<ConsumerCounts, "dropped">;
  readonly stdout: Pick<ConsumerCounts, "dropped">;
  readonly gaps: number;
}

/** Sums over all feeds. Stdout is the relay's own: that it is closed is no excuse. */
export function lossOf(all: readonly FeedLosses[]): LossCounts {
  let dropped = 0;
  let gaps = 0;
  for (const feed of all) {
    for (const reason of relaysDrops) dropped += feed.subscribers.dropped[reason];
    for (const reason of dropReasons) dropped += feed.stdout.dropped[reason];
    gaps += feed.gaps;
  }
  return { dropped, gaps };
}

function bounded(text: string): string {
  const characters = Array.from(text);
  return characters.length <= maxProblemLength ? text : `${characters.slice(0, maxProblemLength - 1).join("")}…`;
}
