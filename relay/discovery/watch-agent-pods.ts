import { type ListWatch, type ListWatchDeps, startListWatch } from "../../lib/kube/list-watch.ts";
import { pods } from "../../lib/kube/resources.ts";
import { Store } from "../../lib/kube/store.ts";
import type { WatchState } from "../../lib/kube/types.ts";
import type { Agent } from "../nodes/agent.ts";
import { agentsOfPods, trimPod } from "./agent-pods.ts";

export interface AgentPodOptions {
  /** Empty = all. */
  readonly namespaces: readonly string[];
  readonly selector: string;
  /** Undefined = each pod says. */
  readonly port: number | undefined;
}

export interface AgentPodWatch extends AsyncDisposable {
  /** One a namespace watched. */
  readonly states: readonly { readonly namespace: string | undefined; readonly state: WatchState }[];
}

export interface AgentPodHandlers {
  /** All agents, best first, whenever they change. */
  readonly onAgents: (agents: readonly Agent[]) => void;
  /** After a change of any state. */
  readonly onState: () => void;
}

/** Follows the agents' pods of a cluster. */
export function watchAgentPods(
  options: AgentPodOptions,
  deps: ListWatchDeps,
  { onAgents, onState }: AgentPodHandlers,
): AgentPodWatch {
  const watches: { namespace: string | undefined; store: Store; watch: ListWatch }[] = [];
  const report = () =>
    onAgents(
      agentsOfPods(
        watches.flatMap(({ store }) => store.list()),
        options.port,
      ),
    );
  for (const namespace of options.namespaces.length === 0 ? [undefined] : options.namespaces) {
    const store = new Store({});
    const watch = startListWatch(
      {
        resource: pods,
        scope: { labelSelector: options.selector, ...(namespace === undefined ? {} : { namespace }) },
        trim: trimPod,
        onChange: (change) => {
          if (store.apply(change).length > 0) report();
        },
        onState,
      },
      deps,
    );
    // The state tells how it is going; a watch that never synced before its end has nobody waiting for it.
    watch.synced.catch(() => {});
    watches.push({ namespace, store, watch });
  }
  return {
    get states() {
      return watches.map(({ namespace, watch }) => ({ namespace, state: watch.state }));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(watches.map(({ watch }) => watch[Symbol.asyncDispose]()));
    },
  };
}
