import { type ListWatch, type ListWatchDeps, startListWatch } from "../../lib/kube/list-watch.ts";
import { pods } from "../../lib/kube/resources.ts";
import { Store } from "../../lib/kube/store.ts";
import type { KubeObject, WatchState } from "../../lib/kube/types.ts";
import { trimPod } from "./agent-pods.ts";

export interface AgentPodOptions {
  /** Empty = all. */
  readonly namespaces: readonly string[];
  readonly selector: string;
}

export interface NamespaceState {
  /** Undefined = all namespaces. */
  readonly namespace: string | undefined;
  readonly state: WatchState;
  /** Since when it has been failing without a break, of whatever kind; monotonic. Undefined while it is not. */
  readonly failingSinceMs: number | undefined;
}

export interface AgentPodWatch extends AsyncDisposable {
  /** One a namespace watched. */
  readonly states: readonly NamespaceState[];
  /** Resolves when every namespace has been listed; rejects when disposed before that. */
  readonly synced: Promise<void>;
  pods(): readonly KubeObject[];
}

export interface AgentPodHandlers {
  readonly onPods: () => void;
  /** After a change of any state. */
  readonly onState: () => void;
  /** At every end of a watch that was not asked for, with its reason. */
  readonly onRestart?: (reason: string) => void;
}

interface Place {
  readonly state: () => NamespaceState;
  readonly store: Store;
  readonly watch: ListWatch;
}

/** Follows the agents' pods of a cluster. */
export function watchAgentPods(
  { namespaces, selector }: AgentPodOptions,
  deps: ListWatchDeps,
  { onPods, onState, onRestart = () => {} }: AgentPodHandlers,
): AgentPodWatch {
  const watches = (namespaces.length === 0 ? [undefined] : namespaces).map((namespace): Place => {
    const store = new Store({});
    let failingSinceMs: number | undefined;
    const watch = startListWatch(
      {
        resource: pods,
        scope: { labelSelector: selector, ...(namespace === undefined ? {} : { namespace }) },
        trim: trimPod,
        onChange: (change) => {
          if (store.apply(change).length > 0) onPods();
        },
        onState: ({ kind }) => {
          failingSinceMs = kind === "failing" ? (failingSinceMs ?? deps.clock.monotonic()) : undefined;
          onState();
        },
        onRestart,
      },
      deps,
    );
    const state = () => ({ namespace, state: watch.state, failingSinceMs });
    return { state, store, watch };
  });
  const synced = Promise.all(watches.map(({ watch }) => watch.synced)).then(() => {});
  // The states tell how it is going; watches that never synced before their end have nobody waiting for them.
  synced.catch(() => {});
  return {
    get states() {
      return watches.map(({ state }) => state());
    },
    synced,
    pods: () => watches.flatMap(({ store }) => store.list()),
    async [Symbol.asyncDispose]() {
      await Promise.all(watches.map(({ watch }) => watch[Symbol.asyncDispose]()));
    },
  };
}
