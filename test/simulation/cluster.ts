import { type Agent, endpointText, parseEndpoint } from "../../relay/nodes/agent.ts";
import type { EventBook } from "./event-book.ts";
import type { Network } from "./network.ts";
import type { RelayUnderTest } from "./relay-under-test.ts";
import { SimAgent } from "./sim-agent.ts";
import type { World } from "./world.ts";

/** A pod with an agent in it, which may be restarted. */
export interface SimPod {
  readonly uid: string;
  name: string;
  endpoints: readonly string[];
  /** The one of `endpoints` it listens on. */
  readonly listensOn: string;
  process: SimAgent;
}

/** The pods there are, and what discovery says of them. */
export class Cluster {
  readonly pods = new Set<SimPod>();
  /** It drains: it is told of pods, and does not care. */
  isRelayLeaving = false;
  /** Being deleted: discovery may still know them. */
  readonly #leaving = new Set<SimPod>();
  readonly #world: World;
  readonly #book: EventBook;
  readonly #network: Network;
  readonly #relay: RelayUnderTest;
  #made = 0;

  constructor(world: World, book: EventBook, network: Network, relay: RelayUnderTest) {
    this.#world = world;
    this.#book = book;
    this.#network = network;
    this.#relay = relay;
  }

  /** Several agents may share an address, each with a port of its own; some have two addresses and listen on one. */
  addPod(): void {
    const { prng } = this.#world;
    const ordinal = this.#made;
    const v4 = `10.0.0.${prng.between(1, 3)}:${30_000 + ordinal}`;
    const v6 = `[fd00::${(ordinal + 1).toString(16)}]:32767`;
    const endpoints = prng.chance(0.3) ? prng.shuffled([v4, v6]) : [v4];
    this.#start(endpoints, prng.pick(endpoints) ?? v4);
  }

  /** The pod's successor on the same addresses, while the pod may linger. */
  replacePod(pod: SimPod): void {
    this.removePod(pod);
    this.#start(pod.endpoints, pod.listensOn);
  }

  removePod(pod: SimPod): void {
    this.pods.delete(pod);
    this.#leaving.add(pod);
    this.#world.trace.note("remove", pod.uid);
    pod.process.die(this.#world.prng.chance(0.3));
    this.#world.clock.after(this.#world.prng.within(0, 3000), () => this.#leaving.delete(pod));
  }

  /** It is the same pod, but has another name for people, or its addresses in another order. */
  changePod(pod: SimPod): void {
    this.#world.trace.note("change", pod.uid);
    if (this.#world.prng.chance(0.5)) pod.name += "'";
    else pod.endpoints = pod.endpoints.toReversed();
  }

  /** The agent's process comes up again: in the same pod, but with nothing of what it knew. */
  restart(pod: SimPod): void {
    if (!this.pods.has(pod) || pod.process.isAlive) return;
    this.#world.trace.note("restart", pod.uid);
    pod.process = new SimAgent(this.#world, this.#book, pod.uid, pod.listensOn);
    this.#network.listeners.set(pod.listensOn, pod.process);
  }

  /** Discovery tells the relay what there is: who is being deleted comes last, the others in any order. */
  report(): void {
    const { judge, prng, trace } = this.#world;
    const agents = [...prng.shuffled([...this.pods]), ...this.#leaving].map(agentOf);
    trace.note("report", agents.length);
    this.#relay.nodes.update("kubernetes", agents);
    const chosen = this.#relay.nodes.nodes.map(({ agent }) => agent);
    if (this.isRelayLeaving) {
      judge.equal(chosen.length, 0, "removal", "nodes of a relay that drains");
      return;
    }
    const taken = chosen.flatMap((agent) => agent.endpoints.map(endpointText));
    judge.equal(new Set(taken).size, taken.length, "one-connection", "endpoints of nodes that are only one node's");
    for (const agent of chosen) {
      const isReported = agents.some((one) => JSON.stringify(one) === JSON.stringify(agent));
      judge.check(isReported, "removal", () => `${agent.id} is a node, but not reported like that`);
    }
    for (const pod of this.pods) {
      judge.check(
        chosen.some(({ id }) => id === pod.uid),
        "recovery",
        () => `${pod.uid} is reported, but no node`,
      );
    }
  }

  reportLater(): void {
    this.#world.clock.after(this.#world.prng.within(0, 1500), () => this.report());
  }

  /** Nothing fails any more. */
  heal(): void {
    this.#leaving.clear();
    this.#network.dialModes.clear();
    for (const pod of this.pods) {
      this.restart(pod);
      pod.process.health = "answers";
      pod.process.refused.clear();
      // Of the connections that nothing comes on some get better, the others are for the relay to find out.
      for (const link of pod.process.links) if (this.#world.prng.chance(0.5)) link.thaw();
    }
    // In a step of its own: what breaks in the very step in which its node goes is not to be told from what goes with it.
    this.#world.clock.soon(() => this.report());
  }

  #start(endpoints: readonly string[], listensOn: string): void {
    const ordinal = this.#made++;
    const uid = `pod-${ordinal}`;
    const process = new SimAgent(this.#world, this.#book, uid, listensOn);
    this.#world.trace.note("start", uid, listensOn);
    this.#network.listeners.set(listensOn, process);
    this.pods.add({ uid, name: `node-${ordinal}`, endpoints, listensOn, process });
  }
}

function agentOf({ uid, name, endpoints }: SimPod): Agent {
  return { id: uid, name, endpoints: endpoints.flatMap((text) => parseEndpoint(text) ?? []) };
}
