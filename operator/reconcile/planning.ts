import type { KubeClient } from "../../lib/kube/types.ts";
import { type Relay, parseRelay } from "../api/relay.ts";
import { type Plan, type PlanDeps, objectText, planOf } from "../decide/plan.ts";
import type { DeploymentOptions } from "../desired/deployment.ts";
import { fieldManager } from "../desired/names.ts";
import { desiredObjects } from "../desired/objects.ts";
import { type Asking, gatherPairs } from "./gather.ts";
import type { View } from "./reconciler.ts";

export interface PlanningDeps {
  readonly view: Pick<View, "get" | "relaysWanting" | "childrenOf">;
  readonly client: Pick<KubeClient, "get">;
  readonly differences: PlanDeps["differences"];
}

/** Gathers what there is of a relay's objects, and decides what has to be done to them. Writes nothing. */
export async function planRelay(
  key: string,
  relay: Relay,
  options: DeploymentOptions,
  asking: Asking,
  { view, client, differences }: PlanningDeps,
  signal: AbortSignal,
): Promise<Plan> {
  const pairs = await gatherPairs(desiredObjects(relay, options), view, client, asking, signal);
  const wanting = view.relaysWanting(relay.metadata.namespace ?? "", relay.spec.service.name).map(parseRelay);
  return planOf({ relay, pairs, owned: view.childrenOf(key), wanting }, { fieldManager, differences });
}

/** Every object that is not as it should be. */
export function differencesOf({ writes, deletes, foreign, adoptLater, leaving, claimed }: Plan): readonly string[] {
  const wanted = [...writes, ...claimed].map(({ desired }) => desired);
  return [...wanted, ...deletes, ...foreign, ...adoptLater, ...leaving].map(objectText);
}
