import { roleBindings, roles } from "../../lib/kube/resources.ts";
import type { ObjectName } from "../../lib/kube/types.ts";
import { errorText } from "../../lib/process/log.ts";
import { type Relay, relayResource } from "../api/relay.ts";
import { outOfReach } from "../decide/out-of-reach.ts";
import type { Reach } from "../decide/reach.ts";
import { unseenText } from "../decide/unseen.ts";
import { type Outcome, done } from "../engine/outcome.ts";
import { type FinalizerDeps, deleteUnowned, hasFinalizer, removeFinalizer } from "./finalizer.ts";
import { ownerOf, relayKey } from "../watch/keys.ts";
import type { ReconcilerDeps, View } from "./reconciler.ts";

export interface CleanUpDeps extends FinalizerDeps, Pick<ReconcilerDeps, "clock" | "log" | "record"> {
  readonly view: Pick<View, "unseen" | "childrenOf">;
}

/** A deletion, and with it that of the namespace, must not wait for ever for what cannot be cleaned up. */
const abandonCleanupAfterMs = 600_000;

/** The relay is being deleted: what the garbage collector cannot reach goes first, then the finalizer. */
export async function cleanUp(relay: Relay, reach: Reach, deps: CleanUpDeps, signal: AbortSignal): Promise<Outcome> {
  if (!hasFinalizer(relay)) return done;
  try {
    const unseen = deps.view.unseen().filter(({ resource }) => resource === roles || resource === roleBindings);
    if (unseen.length > 0) throw new Error(`Cannot find all roles of the relay: ${unseenText(unseen)}`);
    await deleteUnowned(relay, deps.view.childrenOf(relayKey(relay)), reach, deps, signal);
  } catch (error) {
    const sinceMs = deps.clock.now() - Date.parse(relay.metadata.deletionTimestamp ?? "");
    if (signal.aborted || !(sinceMs > abandonCleanupAfterMs)) throw error;
    abandon(relay, `Cluster-scoped objects are left behind: ${errorText(error)}`, deps);
    deps.log.error("Gave up cleaning up after a deleted relay", { relay: relay.metadata.name, error });
  }
  const names = outOfReach(relay, reach);
  if (names.length > 0) {
    const note = `Left behind, if it is there, because the operator has no rights there any more: ${names.join(", ")}. Delete it by hand`;
    abandon(relay, note, deps);
    deps.log.warn("A deleted relay may leave objects behind that are out of reach", {
      relay: relay.metadata.name,
      names,
    });
  }
  await removeFinalizer(relay, deps, signal);
  return done;
}

function abandon(relay: Relay, note: string, deps: Pick<CleanUpDeps, "record">): void {
  deps.record(relay, { type: "Warning", reason: "CleanupAbandoned", note });
}

/** There is no such relay: objects in its name that nobody owns are left from one whose finalizer was taken off by force. */
export async function sweep(
  key: string,
  name: Required<ObjectName>,
  reach: Reach,
  deps: Pick<CleanUpDeps, "view" | "client">,
  signal: AbortSignal,
): Promise<Outcome> {
  const known = deps.view.childrenOf(key);
  const left = known.some(({ object }) => ownerOf(object) !== undefined);
  if (!left || (await deps.client.get(relayResource, name, signal)) !== undefined) return done;
  await deleteUnowned({ metadata: name }, known, reach, deps, signal);
  return done;
}
