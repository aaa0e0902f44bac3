import { applyDifferences } from "../../lib/kube/apply.ts";
import type { KubeClient, KubeObject } from "../../lib/kube/types.ts";
import { type Relay, parseRelay, relayResource } from "../api/relay.ts";
import { type LiveObject, type Plan, objectText } from "../decide/plan.ts";
import type { DeploymentOptions } from "../desired/deployment.ts";
import { managedByLabel, relayNameLabel } from "../desired/names.ts";
import { planRelay } from "../reconcile/planning.ts";
import { relayKey } from "../watch/keys.ts";
import { childSources } from "../watch/sources.ts";

/** What the operator would do to bring a cluster to this relay, a line each: empty = nothing. Reads only. */
export async function diff(
  wanted: Relay,
  options: DeploymentOptions,
  client: Pick<KubeClient, "get" | "list">,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { namespace = "", name } = wanted.metadata;
  const all = await client.list(relayResource, { namespace }, signal);
  const live = all.find(({ metadata }) => metadata.name === name);
  // Of the one that is there, as its objects are owned by that one.
  const relay = live === undefined ? wanted : parseRelay({ ...live, spec: wanted.spec });
  const owned = live === undefined ? [] : await childrenOf(relay, client, signal);
  const deps = {
    view: {
      get: () => undefined,
      relaysWanting: (_namespace: string, service: string) =>
        all.filter((each) => parseRelay(each).spec.service.name === service),
      childrenOf: () => owned,
    },
    client,
    differences: (object: KubeObject, desired: KubeObject, manager: string) =>
      applyDifferences(object, desired, manager).map(({ kind, path }) => `${path} (${kind})`),
  };
  return linesOf(namespace, await planRelay(relayKey(relay), relay, options, "all", deps, signal));
}

async function childrenOf(
  relay: Relay,
  client: Pick<KubeClient, "list">,
  signal: AbortSignal,
): Promise<readonly LiveObject[]> {
  const { namespace = "", name } = relay.metadata;
  const labels = { ...managedByLabel, [relayNameLabel]: name };
  const labelSelector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const kinds = childSources.filter(({ resource }) => resource.namespaced);
  const lists = await Promise.all(
    kinds.map(async ({ resource }) => {
      const objects = await client.list(resource, { namespace, labelSelector }, signal);
      return objects.map((object) => ({ resource, object }));
    }),
  );
  return lists.flat();
}

function linesOf(namespace: string, plan: Plan): readonly string[] {
  const line = (sign: string, object: LiveObject, more = "") => `${sign} ${namespace}: ${objectText(object)}${more}`;
  return [
    ...plan.writes.flatMap(({ desired, live, paths }) =>
      live === undefined ? [line("+", desired)] : paths.map((path) => line("~", desired, ` ${path}`)),
    ),
    ...plan.deletes.map((object) => line("-", object)),
    ...plan.foreign.map((object) => line("!", object, " is somebody else's")),
    ...plan.adoptLater.map((object) => line("!", object, " is taken over when the relay's pods serve")),
    ...plan.leaving.map((object) => line("!", object, " is being deleted")),
    ...plan.claimed.map(({ desired, by }) => line("!", desired, ` goes to ${by.metadata.name}, which is older`)),
  ];
}
