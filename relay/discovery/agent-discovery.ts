import type { ListWatchDeps } from "../../lib/kube/list-watch.ts";
import type { Agent } from "../nodes/agent.ts";
import { agentsOfPods } from "./agent-pods.ts";
import {
  type AgentPodHandlers,
  type AgentPodOptions,
  type AgentPodWatch,
  type NamespaceState,
  watchAgentPods,
} from "./watch-agent-pods.ts";

export interface AgentDiscoveryOptions extends AgentPodOptions {
  /** Undefined = each pod says. */
  readonly port: number | undefined;
}

export interface AgentDiscoveryHandlers extends Omit<AgentPodHandlers, "onPods"> {
  /** All agents, best first, whenever they may have changed. */
  readonly onAgents: (agents: readonly Agent[]) => void;
}

/**
 * The agents of a cluster, where to look for them being exchanged while it runs. What was found before stays until
 * all of the new places have been listed: an agent that both know keeps its connection, and a place that may not be listed
 * costs none that was known.
 */
export class AgentDiscovery implements AsyncDisposable {
  readonly #deps: ListWatchDeps;
  readonly #handlers: AgentDiscoveryHandlers;
  #port: number | undefined;
  /** What is wanted. */
  #current: AgentPodWatch;
  #wanted: AgentPodOptions;
  /**
   * The last one that was synced, or the first one, until `#current` is synced. Those between the two are ended: places that may
   * not be listed would pile up.
   */
  #former: AgentPodWatch | undefined;
  readonly #ending = new Set<Promise<void>>();
  #wasListed = false;
  #isClosed = false;

  constructor(options: AgentDiscoveryOptions, deps: ListWatchDeps, handlers: AgentDiscoveryHandlers) {
    this.#deps = deps;
    this.#handlers = handlers;
    this.#port = options.port;
    this.#wanted = options;
    this.#current = this.#start(options);
  }

  /** Of the places wanted now. */
  get states(): readonly NamespaceState[] {
    return this.#current.states;
  }

  /** Whether the places that were wanted at some time have all been listed: from then on what is known is better than nothing. */
  get wasListed(): boolean {
    return this.#wasListed;
  }

  apply(options: AgentDiscoveryOptions): void {
    const hasMoved = placesOf(options) !== placesOf(this.#wanted);
    const hasPort = options.port !== this.#port;
    if (this.#isClosed || !(hasMoved || hasPort)) return;
    this.#port = options.port;
    this.#wanted = options;
    if (hasMoved) {
      if (this.#former === undefined) this.#former = this.#current;
      else this.#end(this.#current);
      this.#current = this.#start(options);
      this.#handlers.onState();
    }
    this.#report();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const watch of this.#watches()) this.#end(watch);
    await Promise.all(this.#ending);
  }

  #watches(): readonly AgentPodWatch[] {
    return this.#former === undefined ? [this.#current] : [this.#current, this.#former];
  }

  #start(options: AgentPodOptions): AgentPodWatch {
    const watch = watchAgentPods(options, this.#deps, {
      ...this.#handlers,
      onPods: () => this.#report(),
      onState: () => {
        if (watch === this.#current) this.#handlers.onState();
      },
    });
    watch.synced.then(
      () => this.#settle(watch),
      () => {
        // Ended before it was synced: another has taken its place, or nobody is left to ask.
      },
    );
    return watch;
  }

  #settle(watch: AgentPodWatch): void {
    if (watch !== this.#current || this.#isClosed) return;
    if (!this.#wasListed) {
      this.#wasListed = true;
      this.#handlers.onState();
    }
    if (this.#former === undefined) return;
    this.#end(this.#former);
    this.#former = undefined;
    this.#report();
  }

  #end(watch: AgentPodWatch): void {
    const ended = Promise.resolve(watch[Symbol.asyncDispose]()).then(() => {
      this.#ending.delete(ended);
    });
    this.#ending.add(ended);
  }

  #report(): void {
    if (this.#isClosed) return;
    const pods = this.#watches().flatMap((watch) => watch.pods());
    this.#handlers.onAgents(agentsOfPods(pods, this.#port));
  }
}

function placesOf({ namespaces, selector }: AgentPodOptions): string {
  return JSON.stringify([namespaces, selector]);
}
