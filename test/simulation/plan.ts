import type { HubOptions } from "../../relay/hub/hub.ts";
import { defaultNodeOptions, type NodeOptions } from "../../relay/nodes/node-options.ts";
import type { SubscriptionOptions } from "../../relay/server/watch.ts";
import { actionKinds, type ActionKind } from "./action-kinds.ts";
import { Prng } from "./prng.ts";
import type { SimStreamOptions } from "./sim-stream.ts";

/** How the network cuts what it carries. */
export type Chunking = "whole" | "bytes" | "random";

/** One seed's world: its size, the relay's bounds in it, and what goes wrong how often. */
export interface Plan {
  readonly seed: number;
  readonly agents: number;
  readonly stormMs: number;
  readonly actionEveryMs: number;
  /** Every kind of action with how often it comes, relative to the others. */
  readonly weights: ReadonlyMap<ActionKind, number>;
  readonly chunking: Chunking;
  readonly maxLatencyMs: number;
  /** What an agent keeps for a connection that does not read. */
  readonly maxUnreadBytes: number;
  readonly stream: SimStreamOptions;
  readonly node: NodeOptions;
  readonly dialSlots: number;
  /** What the relay draws is in [minDraw, 1): above 0, it has to wait at least that part of every backoff's bound. */
  readonly minDraw: number;
  readonly hub: HubOptions;
  readonly subscriptions: SubscriptionOptions;
  /** Whether the bounds are wide enough that who reads at once must not lose anything. */
  readonly sparesHealthy: boolean;
  readonly stdoutQueueBytes: number;
  /** Stdout wants everything and takes nothing until the calm, so that the budget is what bounds the relay. */
  readonly hoards: boolean;
  readonly drainsInTheMiddle: boolean;
  readonly drainDeadlineMs: number;
}

export function planOf(seed: number): Plan {
  const prng = new Prng(seed);
  const sparesHealthy = prng.chance(0.5);
  const hoards = prng.chance(0.15);
  const agents = prng.between(1, 6);
  const maxUnreadBytes = prng.oneOf(1024, 4096);
  // A burst of every agent, in one turn of the event loop, with the events that come while it is written.
  const mailboxBytes = sparesHealthy ? maxPods * maxUnreadBytes : prng.oneOf(100, 700, 4000);
  const pageBytes = prng.oneOf(128, 512, 4096);
  const subscriptions = {
    maxSubscribers: hoards ? 4 : prng.oneOf(4, 12, 40),
    mailboxBytes,
    maxWriteBytes: prng.oneOf(64, 512, 8192),
  };
  // Twice what clients that are stuck can pin, so that a write may always begin, and room for those that read at once.
  const pinnedBytes = subscriptions.maxSubscribers * Math.max(pageBytes, maxEventBytes);
  const bufferBytes = sparesHealthy ? 2 * pinnedBytes + mailboxBytes : prng.oneOf(1 << 20, 30_000, 3_000);
  return {
    seed,
    agents,
    stormMs: prng.between(5_000, 30_000),
    actionEveryMs: prng.oneOf(15, 40, 100),
    weights: drawWeights(prng, hoards),
    chunking: prng.oneOf("whole", "random", "random", "bytes"),
    maxLatencyMs: prng.oneOf(0, 1, 5, 40),
    maxUnreadBytes,
    stream: { maxMessageBytes: 2048, readBuffer: Buffer.alloc(8192) },
    node: drawNodeOptions(prng),
    dialSlots: prng.between(1, 4),
    minDraw: prng.oneOf(0, 0.5, 0.99),
    hub: { pageBytes, minIntervalMs: prng.oneOf(1, 1, 5), bufferBytes },
    subscriptions,
    sparesHealthy,
    stdoutQueueBytes: hoards ? 1 << 20 : prng.oneOf(300, 3000, 1 << 20),
    hoards,
    drainsInTheMiddle: prng.chance(0.2),
    drainDeadlineMs: prng.oneOf(0, 500, 5000),
  };
}

/** At a time. */
export const maxPods = 8;
/** Of a few; most have less than 100. */
export const maxEventBytes = 1600;

/** Swarm testing: each seed leaves out some kinds of action altogether, so that the others get further. */
function drawWeights(prng: Prng, hoards: boolean): ReadonlyMap<ActionKind, number> {
  const weights = new Map<ActionKind, number>();
  for (const [kind, weight] of actionKinds) {
    const isIn = kind === "emit" || kind === "burst" || prng.chance(0.6);
    if (isIn) weights.set(kind, weight * prng.oneOf(0.3, 1, 1, 3));
  }
  if (hoards) for (const kind of ["stdout", "toggle", "desert"] as const) weights.delete(kind);
  if (hoards) weights.set("burst", 30);
  return weights;
}

function drawNodeOptions(prng: Prng): NodeOptions {
  if (prng.chance(0.4)) return defaultNodeOptions;
  return {
    connectDeadlineMs: prng.between(300, 3000),
    healthDeadlineMs: prng.between(300, 3000),
    dialSlotMs: prng.between(50, 1000),
    silenceMs: prng.between(1500, 8000),
    reconnect: { initialMs: prng.between(50, 500), maxMs: prng.between(500, 5000) },
    reopen: { initialMs: prng.between(5, 50), maxMs: prng.between(50, 1000) },
    stableMs: prng.between(1000, 10_000),
    usefulMs: prng.between(200, 3000),
    goawayGraceMs: prng.between(200, 5000),
  };
}
