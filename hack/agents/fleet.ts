import { isIPv4 } from "node:net";
import type { Clock } from "../../lib/process/clock.ts";
import { systemClock } from "../../lib/process/clock.ts";
import type { AgentCounts } from "./agent.ts";
import { Agent } from "./agent.ts";
import type { Keepalive } from "./agent-server.ts";
import { agentKeepalive } from "./agent-server.ts";
import type { FeedName } from "./contract.ts";
import { feedNames } from "./contract.ts";
import { Pacer } from "./pacer.ts";
import { seededRandom } from "./random.ts";

export interface FleetOptions {
  /** Default 1. */
  readonly count?: number;
  /** Address of the first agent, the others follow. Default: all at 127.0.0.1, for which `port` must be 0. */
  readonly firstAddress?: string;
  /** Default 0: a free one for each agent. */
  readonly port?: number;
  /** Default undefined: no health servers; 0: a free one for each. */
  readonly healthPort?: number | undefined;
  /** Events a second and agent. Default 0: only `produce()` makes events. */
  readonly rates?: Readonly<Partial<Record<FeedName, number>>>;
  /** Default 1. */
  readonly burst?: number;
  /** Events after which a feed of an agent's life stops. Default: never. */
  readonly limit?: number;
  /** Rates stand still while nobody is subscribed to the feed. Default false, as in real agents. */
  readonly whenWatched?: boolean;
  /** Default 1. */
  readonly seed?: number;
  /** Default `agent-`, followed by 0, 1, … */
  readonly namePrefix?: string;
  /** Of HostName. Default `node-`. */
  readonly hostPrefix?: string;
  readonly cluster?: string;
  /** Default: as in real agents. */
  readonly keepalive?: Keepalive;
}

export interface FleetDeps {
  readonly clock: Clock;
}

const tickMs = 10;

/** Agents that listen on addresses of their own and produce at a common rate. Whoever starts a fleet disposes of it. */
export class AgentFleet implements AsyncDisposable {
  readonly agents: readonly Agent[];
  readonly #clock: Clock;
  readonly #lanes: { readonly agent: Agent; readonly feed: FeedName; readonly pacer: Pacer }[] = [];
  readonly #limit: number;
  readonly #whenWatched: boolean;
  #cancelTick: () => void = () => {};

  constructor(options: FleetOptions, deps: FleetDeps) {
    const { count = 1, firstAddress, port = 0, healthPort, seed = 1, cluster = "default" } = options;
    const { keepalive = agentKeepalive } = options;
    const { namePrefix = "agent-", hostPrefix = "node-", rates = {}, burst = 1 } = options;
    const random = seededRandom(seed);
    this.#clock = deps.clock;
    this.#limit = options.limit ?? Number.POSITIVE_INFINITY;
    this.#whenWatched = options.whenWatched ?? false;
    this.agents = Array.from({ length: count }, (_, index) => {
      const address = firstAddress === undefined ? "127.0.0.1" : addressAfter(firstAddress, index);
      const name = `${namePrefix}${index}`;
      const host = `${hostPrefix}${index}`;
      const agentSeed = Math.floor(random() * 2 ** 31);
      return new Agent({ name, host, cluster, address, port, healthPort, seed: agentSeed, keepalive }, deps);
    });
    for (const agent of this.agents) {
      for (const feed of feedNames) {
        const perSecond = rates[feed] ?? 0;
        if (perSecond > 0) this.#lanes.push({ agent, feed, pacer: new Pacer({ perSecond, burst }, random()) });
      }
    }
  }

  /** Listens, then produces. */
  async open(): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.open()));
    if (this.#lanes.length > 0) this.#tick(this.#clock.monotonic());
  }

  /** The agent with that index. @throws RangeError when there is none */
  agent(index: number): Agent {
    const agent = this.agents[index];
    if (agent === undefined) throw new RangeError(`Cannot take agent ${index} of ${this.agents.length}`);
    return agent;
  }

  /** host:port of every agent, as the relay's `--agents` takes them. */
  get addresses(): readonly string[] {
    return this.agents.map((agent) => agent.address);
  }

  /** Resolves when every agent has that many streams of each of these feeds. */
  async untilWatched(feeds: readonly FeedName[] = feedNames, watchers = 1): Promise<void> {
    await Promise.all(this.agents.flatMap((agent) => feeds.map((feed) => agent.untilWatched(feed, watchers))));
  }

  /** The same number of events at every agent, now. */
  produce(feed: FeedName, count: number): void {
    for (const agent of this.agents) agent.produce(feed, count);
  }

  counts(): readonly AgentCounts[] {
    return this.agents.map((agent) => agent.counts());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancelTick();
    await Promise.all(this.agents.map((agent) => agent[Symbol.asyncDispose]()));
  }

  #tick(lastMs: number): void {
    const nowMs = this.#clock.monotonic();
    let behind = false;
    for (const { agent, feed, pacer } of this.#lanes) {
      if (this.#whenWatched && agent.watchers(feed) === 0) continue;
      const due = pacer.take(nowMs - lastMs);
      if (due > 0) agent.produce(feed, Math.min(due, this.#limit - agent.produced(feed)));
      behind ||= pacer.behind;
    }
    this.#cancelTick = this.#clock.after(behind ? 0 : tickMs, () => this.#tick(nowMs));
  }
}

/** Starts agents; resolves when all listen. */
export async function startFleet(options: FleetOptions, deps: FleetDeps = { clock: systemClock }): Promise<AgentFleet> {
  const fleet = new AgentFleet(options, deps);
  try {
    await fleet.open();
  } catch (error) {
    await fleet[Symbol.asyncDispose]();
    throw error;
  }
  return fleet;
}

/** The IPv4 address `steps` after `first`. */
export function addressAfter(first: string, steps: number): string {
  if (!isIPv4(first)) throw new RangeError(`Cannot count addresses from "${first}": it must be an IPv4 address`);
  const number = first.split(".").reduce((sum, part) => sum * 256 + Number(part), 0) + steps;
  if (number > 0xffffffff) throw new RangeError(`Cannot count ${steps} addresses from ${first}: there are fewer`);
  return [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join(".");
}
