import type { KubeObject, ObjectName, WatchChange } from "./types.ts";

/** The values under which an object is found in an index. */
export type IndexValues = (object: KubeObject) => readonly string[];

/** A change that is one: a repetition of what is known already is none. */
export type StoreChange =
  | { readonly kind: "added"; readonly object: KubeObject }
  | { readonly kind: "modified"; readonly object: KubeObject; readonly previous: KubeObject }
  /** The object as it was last seen. */
  | { readonly kind: "deleted"; readonly object: KubeObject };

/** The objects of a list-watch, deeply frozen, by name and by any index that was asked for. */
export class Store<Index extends string = never> {
  readonly #objects = new Map<string, KubeObject>();
  readonly #indexes: ReadonlyMap<string, { readonly values: IndexValues; readonly keys: Map<string, Set<string>> }>;

  constructor(indexes: Readonly<Record<Index, IndexValues>>) {
    const entries = Object.entries<IndexValues>(indexes);
    this.#indexes = new Map(entries.map(([name, values]) => [name, { values, keys: new Map() }]));
  }

  get size(): number {
    return this.#objects.size;
  }

  get(name: ObjectName): KubeObject | undefined {
    return this.#objects.get(keyOf(name));
  }

  /** All objects, or those of one namespace, in no order. */
  list(namespace?: string): readonly KubeObject[] {
    const all = [...this.#objects.values()];
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  }

  by(index: Index, value: string): readonly KubeObject[] {
    const keys = this.#indexes.get(index)?.keys.get(value) ?? [];
    return [...keys].map((key) => this.#objects.get(key)).filter((object) => object !== undefined);
  }

  /** Takes over a change and answers what it changed. An object that was deleted and made anew is both. */
  apply(change: WatchChange): readonly StoreChange[] {
    if (change.kind === "replaced") return this.#replace(change.objects);
    if (change.kind === "deleted") return this.#remove(keyOf(change.object.metadata), change.object);
    return this.#put(change.object);
  }

  #replace(objects: readonly KubeObject[]): readonly StoreChange[] {
    const present = new Set(objects.map((object) => keyOf(object.metadata)));
    const gone = [...this.#objects.keys()].filter((key) => !present.has(key));
    return [...gone.flatMap((key) => this.#remove(key)), ...objects.flatMap((object) => this.#put(object))];
  }

  #put(object: KubeObject): readonly StoreChange[] {
    const key = keyOf(object.metadata);
    const previous = this.#objects.get(key);
    if (previous !== undefined && isSame(previous, object)) return [];
    const frozen = deepFreeze(object);
    if (previous !== undefined) this.#unindex(key, previous);
    this.#objects.set(key, frozen);
    this.#index(key, frozen);
    if (previous === undefined) return [{ kind: "added", object: frozen }];
    if (previous.metadata.uid === frozen.metadata.uid) return [{ kind: "modified", object: frozen, previous }];
    return [
      { kind: "deleted", object: previous },
      { kind: "added", object: frozen },
    ];
  }

  #remove(key: string, last?: KubeObject): readonly StoreChange[] {
    const known = this.#objects.get(key);
    if (known === undefined) return [];
    this.#unindex(key, known);
    this.#objects.delete(key);
    return [{ kind: "deleted", object: last === undefined ? known : deepFreeze(last) }];
  }

  #index(key: string, object: KubeObject): void {
    for (const { values, keys } of this.#indexes.values()) {
      for (const value of values(object)) {
        const found = keys.get(value);
        if (found === undefined) keys.set(value, new Set([key]));
        else found.add(key);
      }
    }
  }

  #unindex(key: string, object: KubeObject): void {
    for (const { values, keys } of this.#indexes.values()) {
      for (const value of values(object)) {
        const found = keys.get(value);
        found?.delete(key);
        if (found?.size === 0) keys.delete(value);
      }
    }
  }
}

function keyOf(name: { readonly namespace?: string; readonly name: string }): string {
  return `${name.namespace ?? ""}/${name.name}`;
}

function isSame(left: KubeObject, right: KubeObject): boolean {
  const version = left.metadata.resourceVersion;
  return (
    version !== undefined && version === right.metadata.resourceVersion && left.metadata.uid === right.metadata.uid
  );
}

/** Objects of the store are shared by all who read it. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
