import { ApiError } from "../../../lib/kube/errors.ts";
import type { ElectionDeps } from "../../../lib/kube/lease.ts";
import type { KubeObject } from "../../../lib/kube/types.ts";

/** One Lease with optimistic locking, in nobody's way: every request is answered at once. */
export class LeaseServer {
  lease: KubeObject | undefined;
  isReachable = true;
  #version = 0;

  readonly client: ElectionDeps["client"] = {
    get: () => this.#answer(() => this.lease),
    create: (_resource, object) => this.#answer(() => this.#write(object)),
    replace: (_resource, object) =>
      this.#answer(() => {
        if (object.metadata.resourceVersion !== this.lease?.metadata.resourceVersion) {
          throw new ApiError(409, { reason: "Conflict" }, { verb: "update", resource: "leases" });
        }
        return this.#write(object);
      }),
  };

  #write(object: KubeObject): KubeObject {
    this.lease = { ...object, metadata: { ...object.metadata, resourceVersion: String((this.#version += 1)) } };
    return this.lease;
  }

  #answer<T>(act: () => T): Promise<T> {
    return this.isReachable ? Promise.resolve().then(act) : Promise.reject(new Error("unreachable"));
  }
}
