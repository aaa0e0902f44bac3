import type { ListWatch } from "../../lib/kube/list-watch.ts";
import { roleBindings, roles, services } from "../../lib/kube/resources.ts";
import type { StoreChange } from "../../lib/kube/store.ts";
import type { KubeObject, ListWatchOptions, ObjectName, Resource, WatchState } from "../../lib/kube/types.ts";
import { cleanupFinalizer } from "../api/relay.ts";
import type { LiveObject } from "../decide/plan.ts";
import type { Unseen } from "../decide/unseen.ts";
import type { Priority } from "../engine/queue.ts";
import { FreshStore } from "./fresh-store.ts";
import { keysOfChild, relayKey, wantedService } from "./keys.ts";
import { relayFingerprint, wishFingerprint } from "./predicate.ts";
import { type Source, childSources, podSource, relaySource } from "./sources.ts";

export interface CachesOptions {
  /** Whose relays are watched; empty: those of all namespaces. */
  readonly namespaces: readonly string[];
  /** Whether anything outside of `namespaces` may be asked for. Default true. */
  readonly clusterRights?: boolean;
  /** How long a watch lasts: at least `min`, and up to `spread` more. Default three to six minutes. */
  readonly watchSeconds?: ListWatchOptions["watchSeconds"];
}

export interface CachesDeps {
  readonly startListWatch: (options: ListWatchOptions) => ListWatch;
  /** Called with the key of every relay that a change may concern; a whole list is routine, as most of it is no news. */
  readonly enqueue: (key: string, priority: Priority) => void;
  /** Counts every end of a watch that was not asked for. */
  readonly onRestart: (kind: string, reason: string) => void;
}

/** Every end of a watch costs a request, and there is a watch for each kind. */
const defaultWatchSeconds = { min: 180, spread: 180 } as const;

/** One list-watch: a kind in one namespace, or in all (`""`), or of the cluster. */
interface Shard extends Source {
  readonly namespace: string;
  /** `relay`: the relays it may concern; `service`: the Service that a relay wants. */
  readonly store: FreshStore<"relay" | "service">;
  readonly listWatch: ListWatch;
  /** Resolves when it was listed once, or may not be. */
  readonly settled: Promise<void>;
}

/** What the operator knows of the cluster, and how it hears of changes. */
export class Caches implements AsyncDisposable {
  /**
   * Resolves when every kind has been listed once, or may not be: what can be done without it is done. Rejects when
   * disposed before.
   */
  readonly synced: Promise<void>;
  readonly #namespaces: readonly string[];
  readonly #shards: readonly Shard[];
  readonly #enqueue: CachesDeps["enqueue"];

  constructor(options: CachesOptions, deps: CachesDeps) {
    this.#namespaces = options.namespaces;
    this.#enqueue = deps.enqueue;
    this.#shards = [relaySource, ...childSources, podSource].flatMap((source) =>
      placesOf(source, options).map((namespace) => this.#startShard(source, namespace, options, deps)),
    );
    this.synced = Promise.all(this.#shards.map(({ settled }) => settled)).then(() => {});
    this.synced.catch(() => {
      // Whoever waits for it is told; nobody else needs to be.
    });
  }

  /** Whether relays of this namespace are this operator's business. */
  covers(namespace: string): boolean {
    return this.#namespaces.length === 0 || this.#namespaces.includes(namespace);
  }

  get(resource: Resource, name: ObjectName): KubeObject | undefined {
    return this.#shardOf(resource, name)?.store.get(name);
  }

  /** Every object of the kinds that relays own which names the relay of this key as its owner. */
  childrenOf(key: string): readonly LiveObject[] {
    return this.#shards
      .filter(({ resource }) => childSources.some((source) => source.resource === resource))
      .flatMap(({ resource, store }) => store.by("relay", key).map((object) => ({ resource, object })));
  }

  podsOf(key: string): readonly KubeObject[] {
    return this.#shards
      .filter(({ resource }) => resource === podSource.resource)
      .flatMap(({ store }) => store.by("relay", key));
  }

  relays(): readonly KubeObject[] {
    return this.#shards
      .filter(({ resource }) => resource === relaySource.resource)
      .flatMap(({ store }) => store.list());
  }

  relaysWanting(namespace: string, service: string): readonly KubeObject[] {
    const shard = this.#shardOf(relaySource.resource, { namespace });
    return shard?.store.by("service", `${namespace}/${service}`) ?? [];
  }

  /**
   * The server's answer to a write of ours, so that it is known before its watch event comes. That event will be news no
   * more, so whom else it concerns is told here.
   */
  wrote(resource: Resource, object: KubeObject): void {
    const shard = this.#shardOf(resource, object.metadata);
    if (shard === undefined) return;
    const changes = shard.store.wrote(shard.trim?.(object) ?? object);
    if (resource === relaySource.resource) {
      // The answer to a status may hold a spec that no pass has seen.
      for (const key of changes.flatMap((change) => keysOfRelayChange(change, wishFingerprint)))
        this.#enqueue(key, "change");
    } else {
      // Whom it belonged to before; whom it belongs to now has just written it.
      const now = keysOfChild(object);
      for (const key of changes.flatMap(keysOfChildChange)) if (!now.includes(key)) this.#enqueue(key, "change");
    }
  }

  /** Why the caches cannot be relied upon, a sentence each: empty = they can. */
  problems(): readonly string[] {
    return this.#shards.flatMap(({ resource, listWatch: { state } }) => {
      if (state.kind === "synced") return [];
      const why = state.kind === "failing" ? `${state.reason}: ${state.error.message}` : "not listed yet";
      return [`${resource.plural}: ${why}`];
    });
  }

  /** The kinds of which changes are not heard, because the server refuses to tell. */
  unseen(): readonly Unseen[] {
    return this.#shards.flatMap(({ resource, listWatch: { state } }) =>
      isDenied(state) ? [{ resource, message: state.error.message }] : [],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#shards.map(({ listWatch }) => listWatch[Symbol.asyncDispose]()));
  }

  #startShard(
    source: Source,
    namespace: string,
    { watchSeconds = defaultWatchSeconds }: CachesOptions,
    deps: CachesDeps,
  ): Shard {
    const { resource, labelSelector, trim } = source;
    const isRelay = source === relaySource;
    const store = new FreshStore({
      relay: isRelay ? (object) => [relayKey(object)] : keysOfChild,
      service: isRelay ? (object) => [wantedService(object)] : () => [],
    });
    const denied = Promise.withResolvers<void>();
    let wasDenied = false;
    const listWatch = deps.startListWatch({
      resource,
      scope: {
        ...(namespace === "" ? {} : { namespace }),
        ...(labelSelector === undefined ? {} : { labelSelector }),
      },
      ...(trim === undefined ? {} : { trim }),
      watchSeconds,
      onChange: (change) => {
        const changes = store.apply(change);
        const keys = changes.flatMap((each) =>
          isRelay ? keysOfRelayChange(each, relayFingerprint) : keysOfChildChange(each),
        );
        const rivals = resource === services ? changes.flatMap((each) => this.#keysOfRivals(each)) : [];
        const priority = change.kind === "replaced" ? "routine" : "change";
        for (const key of new Set([...keys, ...rivals])) deps.enqueue(key, priority);
      },
      onState: (state) => {
        if (isDenied(state)) denied.resolve();
        // It is in the status of every relay.
        if (isDenied(state) !== wasDenied) this.#enqueueRelays();
        wasDenied = isDenied(state);
      },
      onRestart: (reason) => deps.onRestart(resource.kind, reason),
    });
    return { ...source, namespace, store, listWatch, settled: Promise.race([listWatch.synced, denied.promise]) };
  }

  #enqueueRelays(): void {
    for (const relay of this.relays()) this.#enqueue(relayKey(relay), "routine");
  }

  /** A Service's name is free: those who want it may have been refused it. */
  #keysOfRivals({ kind, object: { metadata } }: StoreChange): readonly string[] {
    if (kind !== "deleted") return [];
    return this.relaysWanting(metadata.namespace ?? "", metadata.name).map(relayKey);
  }

  #shardOf(resource: Resource, { namespace = "" }: Pick<ObjectName, "namespace">): Shard | undefined {
    return this.#shards.find(
      (shard) =>
        shard.resource.plural === resource.plural &&
        shard.resource.group === resource.group &&
        (shard.namespace === "" || shard.namespace === namespace),
    );
  }
}

/** The namespaces in which a kind is watched, each by itself; `""` = all of them, or the cluster. */
function placesOf({ resource }: Source, { namespaces, clusterRights = true }: CachesOptions): readonly string[] {
  if (!resource.namespaced) return clusterRights ? [""] : [];
  if (namespaces.length === 0) return [""];
  // Relays have roles wherever their agents are.
  const isElsewhere = resource === roles || resource === roleBindings;
  return clusterRights && isElsewhere ? [""] : namespaces;
}

function isDenied(state: WatchState): state is Extract<WatchState, { readonly kind: "failing" }> {
  return state.kind === "failing" && state.reason === "forbidden";
}

function keysOfRelayChange(change: StoreChange, fingerprint: typeof relayFingerprint): readonly string[] {
  const before = change.kind === "modified" ? fingerprint(change.previous, cleanupFinalizer) : undefined;
  return before === fingerprint(change.object, cleanupFinalizer) ? [] : [relayKey(change.object)];
}

function keysOfChildChange(change: StoreChange): readonly string[] {
  const before = change.kind === "modified" ? keysOfChild(change.previous) : [];
  return [...new Set([...before, ...keysOfChild(change.object)])];
}
