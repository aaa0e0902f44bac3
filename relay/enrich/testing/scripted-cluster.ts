import type { ListWatchClient, WatchQuery } from "../../../lib/kube/list-watch.ts";
import type { ListPage, ListQuery } from "../../../lib/kube/paging.ts";
import { refusal } from "../../../lib/kube/testing/memory-api.ts";
import type { KubeObject, Resource, Scope } from "../../../lib/kube/types.ts";

type Kind = "pods" | "services";

/** Pods and services that a test puts there; watches tell what it sends, and end when it says so. */
export class ScriptedCluster implements ListWatchClient {
  readonly objects: Record<Kind, readonly KubeObject[]> = { pods: [], services: [] };
  /** Kinds that RBAC refuses, in lists and watches that begin from now on. */
  readonly refused = new Set<Kind>();
  /** Every request, as `list pods` or `watch services`. */
  readonly requests: string[] = [];
  readonly scopes: Scope[] = [];
  readonly #streams = new Map<Kind, Stream>();
  #version = 1;
  /** Watches from an older version are refused. */
  #oldestVersion = 0;

  get openStreams(): number {
    return this.#streams.size;
  }

  send(kind: Kind, type: "ADDED" | "MODIFIED" | "DELETED", object: KubeObject): void {
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    this.#streams.get(kind)?.send({ type, object: { ...object, metadata } });
  }

  /** Ends the watch of a kind as a lost connection does. */
  cut(kind: Kind): void {
    this.#streams.get(kind)?.end(new Error("The connection was lost"));
  }

  /** Whoever wants to watch on has to list anew. */
  forget(): void {
    this.#version += 1;
    this.#oldestVersion = this.#version;
  }

  async listPage({ plural }: Resource, scope: Scope, _query: ListQuery): Promise<ListPage> {
    const kind = plural as Kind;
    this.requests.push(`list ${kind}`);
    this.scopes.push(scope);
    await new Promise((resolve) => setImmediate(resolve));
    if (this.refused.has(kind)) throw refusal(403, "Forbidden");
    return { items: this.objects[kind], resourceVersion: String(this.#version), continue: "" };
  }

  async watch(
    { plural }: Resource,
    _scope: Scope,
    query: WatchQuery,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Buffer>> {
    const kind = plural as Kind;
    this.requests.push(`watch ${kind}`);
    await new Promise((resolve) => setImmediate(resolve));
    if (this.refused.has(kind)) throw refusal(403, "Forbidden");
    if (Number(query.resourceVersion) < this.#oldestVersion) throw refusal(410, "Expired");
    const stream = new Stream();
    this.#streams.set(kind, stream);
    signal.addEventListener("abort", () => stream.end(signal.reason as Error), { once: true });
    return stream.read(() => this.#streams.delete(kind));
  }
}

class Stream {
  readonly #lines: Buffer[] = [];
  #error: Error | undefined;
  #wake: () => void = () => {};

  send(event: object): void {
    this.#lines.push(Buffer.from(`${JSON.stringify(event)}\n`));
    this.#wake();
  }

  end(error: Error): void {
    this.#error = error;
    this.#wake();
  }

  async *read(onEnd: () => void): AsyncIterable<Buffer> {
    try {
      while (true) {
        for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) yield line;
        if (this.#error !== undefined) throw this.#error;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      onEnd();
    }
  }
}
