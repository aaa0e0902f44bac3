import { type ListWatch, type ListWatchDeps, startListWatch } from "../../lib/kube/list-watch.ts";
import { pods, services } from "../../lib/kube/resources.ts";
import type { Resource, Scope, WatchState } from "../../lib/kube/types.ts";
import { type HostKind, trimHost } from "./host.ts";
import { HostIndex, type HostLookup } from "./host-index.ts";

/**
 * How long what was last seen is told while the cluster cannot be asked: an outage of the API server rarely takes longer,
 * and after it addresses have new owners, so that a name would be false evidence.
 */
const trustMs = 5 * 60_000;

export interface HostWatch extends AsyncDisposable {
  readonly index: HostLookup & { readonly size: number };
  readonly states: readonly HostWatchState[];
}

export interface HostWatchState {
  readonly resource: "pods" | "services";
  readonly state: WatchState;
}

interface Source {
  readonly kind: HostKind;
  readonly name: HostWatchState["resource"];
  readonly resource: Resource;
  readonly scope: Scope;
}

const sources: readonly Source[] = [
  {
    kind: "pod",
    name: "pods",
    resource: pods,
    // The server leaves out what has ended, and calls the end of a pod its deletion: a cluster may keep thousands of them.
    scope: { fieldSelector: "status.phase!=Succeeded,status.phase!=Failed" },
  },
  { kind: "svc", name: "services", resource: services, scope: {} },
];

export interface HostHandlers {
  /** After a change of any state. */
  readonly onState?: () => void;
  /** A watch has ended and is begun again. */
  readonly onRestart?: ((reason: string) => void) | undefined;
}

/** Follows the addresses of all pods and services of a cluster. */
export function startHosts(deps: ListWatchDeps, handlers: HostHandlers = {}): HostWatch {
  const index = new HostIndex();
  const watches = sources.map((source) => ({ name: source.name, watch: watchSource(source, index, deps, handlers) }));
  return {
    index,
    get states() {
      return watches.map(({ name, watch }) => ({ resource: name, state: watch.state }));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(watches.map(({ watch }) => watch[Symbol.asyncDispose]()));
    },
  };
}

function watchSource(
  source: Source,
  index: HostIndex,
  deps: ListWatchDeps,
  { onState = () => {}, onRestart = () => {} }: HostHandlers,
): ListWatch {
  let cancelDistrust: (() => void) | undefined;
  const watch = startListWatch(
    {
      resource: source.resource,
      scope: source.scope,
      trim: trimHost,
      onChange: (change) => index.apply(source.kind, change),
      onState: (state) => {
        if (state.kind === "failing") {
          cancelDistrust ??= deps.clock.after(trustMs, () => index.trust(source.kind, false));
        } else {
          cancelDistrust?.();
          cancelDistrust = undefined;
          index.trust(source.kind, true);
        }
        onState();
      },
      onRestart,
    },
    deps,
  );
  return {
    synced: watch.synced,
    get state() {
      return watch.state;
    },
    async [Symbol.asyncDispose]() {
      await watch[Symbol.asyncDispose]();
      cancelDistrust?.();
    },
  };
}
