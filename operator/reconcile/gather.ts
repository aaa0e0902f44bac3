import { deployments } from "../../lib/kube/resources.ts";
import type { KubeClient, KubeObject, ObjectName, Resource } from "../../lib/kube/types.ts";
import type { Pair } from "../decide/plan.ts";
import type { DesiredObject } from "../desired/object.ts";

/** What is known of the cluster without asking it. */
export interface Cached {
  get(resource: Resource, name: ObjectName): KubeObject | undefined;
}

/** What to ask the server for: all that the caches do not hold, or only what must not be begun beside somebody else's. */
export type Asking = "all" | "least";

/** Each desired object with the one that exists under its name. */
export function gatherPairs(
  desired: readonly DesiredObject[],
  cached: Cached,
  client: Pick<KubeClient, "get">,
  asking: Asking,
  signal: AbortSignal,
): Promise<readonly Pair[]> {
  return Promise.all(
    desired.map(async (each) => {
      const { resource, object } = each;
      const known = cached.get(resource, object.metadata);
      // The caches hold only what carries our label: what is not there may still exist and be somebody else's. A write of
      // what is taken for absent is refused then, so it may be tried. But nothing of a relay is begun, a Service least of
      // all, where its Deployment cannot be made.
      const ask = known === undefined && (asking === "all" || resource === deployments);
      return { desired: each, live: ask ? await client.get(resource, object.metadata, signal) : known };
    }),
  );
}
