import { isConflict, isInvalid, isNotFound } from "../../lib/kube/errors.ts";
import { pods } from "../../lib/kube/resources.ts";
import type { KubeClient, KubeObject, Resource } from "../../lib/kube/types.ts";
import { type Relay, relayResource } from "../api/relay.ts";
import { type Reports, hasEnded } from "../decide/reports.ts";
import { selectorText } from "../desired/names.ts";

export interface ForgetDeps {
  readonly client: Pick<KubeClient, "list" | "jsonPatch">;
  readonly wrote: (resource: Resource, object: KubeObject) => void;
}

/**
 * Removes the entries of pods that are gone from `status.relays`. Never that of a pod that lives: a pod that the watch has
 * not told of yet may have reported, and would not do so again, so the server is asked first.
 */
export async function forgetPods(
  relay: Relay,
  gone: Reports["gone"],
  deps: ForgetDeps,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = "", name } = relay.metadata;
  const found = await deps.client.list(pods, { namespace, labelSelector: selectorText(relay) }, signal);
  const kept = new Set(found.filter((pod) => !hasEnded(pod)).map(({ metadata }) => metadata.name));
  const patch = removalOf(
    relay,
    gone.filter(({ pod }) => !kept.has(pod)),
  );
  if (patch.length === 0) return;
  try {
    const written = await deps.client.jsonPatch(relayResource, { namespace, name }, patch, signal, "status");
    deps.wrote(relayResource, written);
  } catch (error) {
    // The relay is gone or another one, or entries have moved: its watch event brings the next pass, and with it the next try.
    if (!isConflict(error) && !isInvalid(error) && !isNotFound(error)) throw error;
  }
}

/** From the last place to the first, so that a removal moves none that is still to come. */
function removalOf({ metadata }: Relay, gone: Reports["gone"]): readonly unknown[] {
  const removals = gone
    .toSorted((a, b) => b.index - a.index)
    .flatMap(({ pod, index }) => [
      { op: "test", path: `/status/relays/${index}/pod`, value: pod },
      { op: "remove", path: `/status/relays/${index}` },
    ]);
  return removals.length === 0 ? [] : [{ op: "test", path: "/metadata/uid", value: metadata.uid }, ...removals];
}
