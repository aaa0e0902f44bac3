import type { KubeClient, KubeObject, ObjectName, Resource } from "../../lib/kube/types.ts";
import type { Pair } from "../decide/plan.ts";
import type { DesiredObject } from "../desired/object.ts";

/** What is known of the cluster without asking it. */
export interface Cached {
  get(resource: Resource, name: ObjectName): KubeObject | undefined;
}

/** Each desired object with the one that exists under its name. */
export function gatherPairs(
  desired: readonly DesiredObject[],
  cached: Cached,
  client: Pick<KubeClient, "get">,
  signal: AbortSignal,
): Promise<readonly Pair[]> {
  return Promise.all(desired.map((each) => gatherPair(each, cached, client, signal)));
}

async function gatherPair(
  desired: DesiredObject,
  cached: Cached,
  client: Pick<KubeClient, "get">,
  signal: AbortSignal,
): Promise<Pair> {
  const { resource, object } = desired;
  const known = cached.get(resource, object.metadata);
  // The caches hold only what carries our label: what is not there may still exist and be somebody else's.
  const live = known ?? (await client.get(resource, object.metadata, signal));
  return { desired, live };
}
