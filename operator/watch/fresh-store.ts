import { type IndexValues, Store, type StoreChange } from "../../lib/kube/store.ts";
import type { KubeObject, ObjectName, WatchChange } from "../../lib/kube/types.ts";

/**
 * A store that also takes what the operator itself has just written, so that the next pass does not see the time before
 * its own write and does it again. Watch events that are older than such a write are passed over.
 */
export class FreshStore<Index extends string> {
  readonly #store: Store<Index>;
  /** By object: the version of our write that no watch event has caught up with yet. */
  readonly #written = new Map<string, bigint>();
  /** The newest version that the watch has told of. */
  #seen = 0n;

  constructor(indexes: Readonly<Record<Index, IndexValues>>) {
    this.#store = new Store(indexes);
  }

  get(name: ObjectName): KubeObject | undefined {
    return this.#store.get(name);
  }

  list(): readonly KubeObject[] {
    return this.#store.list();
  }

  by(index: Index, value: string): readonly KubeObject[] {
    return this.#store.by(index, value);
  }

  /**
   * The server's answer to a write.
   * @returns what changed by it: more than the write, when somebody else's change had come first
   */
  wrote(object: KubeObject): readonly StoreChange[] {
    const key = keyOf(object);
    const version = versionOf(object);
    const known = this.#store.get(object.metadata);
    // An object that is not known although the watch has passed this version was deleted after the write.
    if (version <= (known === undefined ? this.#seen : versionOf(known))) return [];
    this.#written.set(key, version);
    return this.#store.apply({ kind: "modified", object });
  }

  /** @returns what changed by it. */
  apply(change: WatchChange): readonly StoreChange[] {
    // A list's own version is not told. That of its newest object is lower, which errs towards believing a write.
    for (const object of change.kind === "replaced" ? change.objects : [change.object]) {
      const version = versionOf(object);
      if (version > this.#seen) this.#seen = version;
    }
    if (change.kind === "replaced") {
      // May be older than a write: then the object is read, and perhaps written, once more. Keeping ours could keep a ghost.
      this.#written.clear();
    } else {
      const key = keyOf(change.object);
      const written = this.#written.get(key);
      if (written !== undefined && versionOf(change.object) < written) return [];
      this.#written.delete(key);
    }
    return this.#store.apply(change);
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

/** Versions of one kind are ordered numbers (KEP-5504). https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions */
function versionOf({ metadata }: KubeObject): bigint {
  return BigInt(metadata.resourceVersion ?? 0);
}
