import { startListWatch } from "../../lib/kube/list-watch.ts";
import type { ListWatchClient } from "../../lib/kube/list-watch.ts";
import type { KubeObject, ObjectName, Resource } from "../../lib/kube/types.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";

/** One object as it changes. */
export interface Followed extends AsyncDisposable {
  /** Resolves when the object is so, with `performance.now()` of the moment it was seen. @throws after the deadline */
  until(what: string, isSo: (object: KubeObject) => boolean): Promise<number>;
}

const deadlineMs = 60_000;

/** Watches rather than polls: what is measured is not to wait for the next look. */
export async function follow(
  client: ListWatchClient,
  resource: Resource,
  { namespace, name }: ObjectName,
): Promise<Followed> {
  let current: KubeObject | undefined;
  const waiting = new Set<() => void>();
  const see = (object: KubeObject | undefined) => {
    current = object;
    for (const look of waiting) look();
  };
  const scope = { fieldSelector: `metadata.name=${name}`, ...(namespace === undefined ? {} : { namespace }) };
  const watch = startListWatch(
    {
      resource,
      scope,
      onChange: (change) => {
        if (change.kind === "replaced") see(change.objects[0]);
        else see(change.kind === "deleted" ? undefined : change.object);
      },
    },
    { client, clock: systemClock, random: Math.random, log: silentLog },
  );
  await watch.synced;
  return {
    until: (what, isSo) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`Waited ${deadlineMs / 1000} s in vain until ${what}`));
        }, deadlineMs);
        const look = () => {
          if (current === undefined || !isSo(current)) return;
          clearTimeout(late);
          waiting.delete(look);
          resolve(performance.now());
        };
        waiting.add(look);
        look();
      }),
    [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
  };
}
