import type { KubeClient } from "../../lib/kube/types.ts";

/**
 * A client that writes nothing once `mayWrite` says no: a process whose event loop stood still may believe that it leads
 * long after another one has taken over.
 */
export function fencedClient(client: KubeClient, mayWrite: () => boolean): KubeClient {
  const fenced =
    <Arguments extends unknown[], Result>(method: (...args: Arguments) => Promise<Result>) =>
    async (...args: Arguments): Promise<Result> => {
      if (!mayWrite()) throw new Error("Cannot write: the lease is not held, and only its holder writes");
      return await method(...args);
    };
  return {
    get: (...args) => client.get(...args),
    list: (...args) => client.list(...args),
    raw: (...args) => client.raw(...args),
    create: fenced((...args) => client.create(...args)),
    replace: fenced((...args) => client.replace(...args)),
    apply: fenced((...args) => client.apply(...args)),
    mergePatch: fenced((...args) => client.mergePatch(...args)),
    jsonPatch: fenced((...args) => client.jsonPatch(...args)),
    delete: fenced((...args) => client.delete(...args)),
  };
}
