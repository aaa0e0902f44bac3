import type { ListWatchDeps } from "../../lib/kube/list-watch.ts";
import type { Enricher } from "./enricher.ts";
import { type HostHandlers, type HostWatch, type HostWatchState, startHosts } from "./watch-hosts.ts";

export interface EnrichmentSettings {
  readonly clusterName: string;
  readonly remoteHost: boolean;
}

/** Keeps the enricher as the settings want it; the cluster is watched only while somebody wants to know who is who in it. */
export class Enrichment implements AsyncDisposable {
  readonly #enricher: Enricher;
  readonly #cluster: ListWatchDeps | undefined;
  readonly #handlers: HostHandlers;
  #hosts: HostWatch | undefined;
  #closing: Promise<unknown> = Promise.resolve();

  /** `cluster` undefined = there is none: peers are not named. */
  constructor(enricher: Enricher, cluster: ListWatchDeps | undefined, handlers: HostHandlers = {}) {
    this.#enricher = enricher;
    this.#cluster = cluster;
    this.#handlers = handlers;
  }

  /** Empty while peers are not named. None of them matters to readiness: events come without names, too. */
  get states(): readonly HostWatchState[] {
    return this.#hosts?.states ?? [];
  }

  /** Pods and services that have an address. */
  get hosts(): number {
    return this.#hosts?.index.size ?? 0;
  }

  apply({ clusterName, remoteHost }: EnrichmentSettings): void {
    if (!remoteHost) this.#stop();
    else if (this.#cluster !== undefined) this.#hosts ??= startHosts(this.#cluster, this.#handlers);
    this.#enricher.configure({ clusterName, hosts: this.#hosts?.index });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await this.#closing;
  }

  #stop(): void {
    this.#closing = Promise.all([this.#closing, this.#hosts?.[Symbol.asyncDispose]()]);
    this.#hosts = undefined;
  }
}
