import { isDeepStrictEqual } from "node:util";
import { isConflict, isInvalid, isNotFound } from "../../lib/kube/errors.ts";
import { pods } from "../../lib/kube/resources.ts";
import type { KubeClient, KubeObject, Resource } from "../../lib/kube/types.ts";
import { type Relay, parseRelay, relayResource } from "../api/relay.ts";
import { hasEnded } from "../decide/reports.ts";
import { selectorText } from "../desired/names.ts";
import type { Cached } from "./gather.ts";

export interface ForgetDeps {
  readonly client: Pick<KubeClient, "list" | "jsonPatch">;
  readonly view: Cached;
  readonly wrote: (resource: Resource, object: KubeObject) => void;
}

/**
 * Removes the entries of pods that are gone from `status.relays`. Never that of a pod that lives: a pod that the watch has
 * not told of yet may have reported, and would not do so again, so the server is asked first.
 * @param relay as it was when these pods were found to be gone
 * @returns whether other entries have changed since: their watch events are older than the answer, and so are no news
 */
export async function forgetPods(
  relay: Relay,
  gone: readonly string[],
  deps: ForgetDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace = "", name } = relay.metadata;
  const found = await deps.client.list(pods, { namespace, labelSelector: selectorText(relay) }, signal);
  const kept = new Set(found.filter((pod) => !hasEnded(pod)).map(({ metadata }) => metadata.name));
  const removed = new Set(gone.filter((pod) => !kept.has(pod)));
  const patch = removalOf(deps.view.get(relayResource, relay.metadata) ?? relay, relay.metadata.uid, removed);
  if (patch.length === 0) return false;
  try {
    const written = await deps.client.jsonPatch(relayResource, { namespace, name }, patch, signal, "status");
    deps.wrote(relayResource, written);
    const { relays: before = [] } = relay.status;
    const { relays: after = [] } = parseRelay(written).status;
    return !isDeepStrictEqual(
      after,
      before.filter(({ pod }) => !removed.has(pod)),
    );
  } catch (error) {
    // The relay is gone or another one, or entries have moved: its watch event brings the next pass, and with it the next try.
    if (!isConflict(error) && !isInvalid(error) && !isNotFound(error)) throw error;
    return false;
  }
}

/**
 * By their places in the object as the server has it, which may hold what cannot be read; from the last place to the first,
 * so that a removal moves none that is still to come.
 */
function removalOf(stored: KubeObject, uid: string | undefined, removed: ReadonlySet<string>): readonly unknown[] {
  const removals = podsInOrder(stored)
    .flatMap((pod, index) => (pod !== undefined && removed.has(pod) ? [{ pod, index }] : []))
    .toReversed()
    .flatMap(({ pod, index }) => [
      { op: "test", path: `/status/relays/${index}/pod`, value: pod },
      { op: "remove", path: `/status/relays/${index}` },
    ]);
  return removals.length === 0 ? [] : [{ op: "test", path: "/metadata/uid", value: uid }, ...removals];
}

function podsInOrder(stored: KubeObject): readonly (string | undefined)[] {
  const { relays = [] } = (stored["status"] ?? {}) as {
    readonly relays?: readonly ({ readonly pod?: string } | null)[];
  };
  return relays.map((entry) => entry?.pod);
}
